/**
 * Reads a ring of the runtime (`runtime/ring.h`) in place: records are handed over as offsets into the
 * instance's memory.
 */
import { BATCH_RECORDS, RingBase } from "#contract/ring_base.ts";
import type { RecordBatch } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import type { RuntimeInstance } from "./instance.ts";

/** Word offsets of `struct rt_ring`. */
const CONSUMER = 0;
const PRODUCER = 2;
const WAKEUPS = 8;
const SIGNALED = 9;
const WAITING = 10;
const MASK = 12;
const OFFSETS = 14;
const LENGTHS = 15;
const CAPACITY = 16;

class Batch implements RecordBatch {
  readonly buffer: Uint8Array;
  readonly view: DataView;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  count = 0;

  constructor(instance: RuntimeInstance, ring: number) {
    const words = instance.u32.subarray(ring / 4, ring / 4 + CAPACITY + 1);
    const capacity = words[CAPACITY]!;
    const array = (address: number): Uint32Array =>
      instance.u32.subarray(address / 4, address / 4 + capacity);
    this.buffer = instance.u8;
    this.view = instance.view;
    this.offsets = array(words[OFFSETS]!);
    this.lengths = array(words[LENGTHS]!);
  }
}

export class WasmRing extends RingBase {
  readonly sizeBytes: number;
  readonly #instance: RuntimeInstance;
  readonly #ring: number;
  /** `struct rt_ring` as words. */
  readonly #words: Uint32Array;
  protected readonly batch: Batch;
  readonly #giveBack: () => void;

  /** Takes over the ring at address `ring`, which has been opened; `giveBack` gives it back. */
  constructor(instance: RuntimeInstance, name: string, ring: number, giveBack: () => void) {
    super(name);
    this.#instance = instance;
    this.#ring = ring;
    this.#words = instance.u32.subarray(ring / 4, ring / 4 + CAPACITY + 1);
    this.sizeBytes = this.#words[MASK]! + 1;
    this.batch = new Batch(instance, ring);
    this.#giveBack = giveBack;
    // Whoever starts to watch a ring looks once, as epoll does.
    this.#words[SIGNALED] = 1;
    instance.wakers.set(ring, () => this.wake());
  }

  protected fill(limit: number): number {
    return this.#instance.exports.rt_ring_fill(this.#ring, limit);
  }

  protected release(): void {
    this.#instance.exports.rt_ring_release(this.#ring);
  }

  /** Positions are 64 bits wide; their distance fits the low half. */
  protected available(): number {
    return (this.#words[PRODUCER]! - this.#words[CONSUMER]!) >>> 0;
  }

  protected signaled(): boolean {
    return this.#words[SIGNALED] !== 0;
  }

  protected clearSignal(): void {
    this.#words[SIGNALED] = 0;
  }

  protected watch(): void {
    this.#words[WAITING] = 1;
  }

  protected end(): void {
    this.#instance.wakers.delete(this.#ring);
    this.#giveBack();
  }

  /** How often producers signalled data since the ring exists. */
  wakeups(): number {
    this.checkOpen("measure");
    return this.#words[WAKEUPS]!;
  }
}

/** Becomes the reader of the ring-buffer map `handle`. Throws EBUSY where it has one. */
export function openRing(
  instance: RuntimeInstance,
  name: string,
  handle: number,
  batchRecords = BATCH_RECORDS,
): WasmRing {
  const ring = instance.exports.rt_ring_open(handle, batchRecords);
  if (ring < 0) {
    throw new BpfError(`read map ${name}`, "it cannot be read as a ring", {
      errno: -ring,
      hint: ring === -ERRNO.EBUSY ? "a map has one reader: close the other" : "open a ringbuf map",
    });
  }
  return new WasmRing(instance, name, ring, () => instance.exports.rt_ring_close(ring));
}
