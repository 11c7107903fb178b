/**
 * Reads a ring buffer of the kernel in place: the addon maps its pages and finds the records of a
 * batch, in one call a batch; JavaScript looks at the same memory.
 *
 * The buffer of a batch is memory that the kernel gives read-only: writing to it ends the process.
 */
import { BATCH_RECORDS, RingBase } from "#contract/ring_base.ts";
import type { RecordBatch } from "#core/backend.ts";
import { BpfError } from "#core/errors.ts";
import type { Addon, NativeRing } from "./addon.ts";

class Batch implements RecordBatch {
  readonly buffer: Uint8Array;
  readonly view: DataView;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  count = 0;

  constructor(ring: NativeRing, records: number) {
    const data = ring.data();
    const numbers = ring.batch();
    this.buffer = new Uint8Array(data);
    this.view = new DataView(data);
    this.offsets = new Uint32Array(numbers, 0, records);
    this.lengths = new Uint32Array(numbers, 4 * records, records);
  }
}

export class KernelRing extends RingBase {
  readonly sizeBytes: number;
  readonly #native: NativeRing;
  protected readonly batch: Batch;
  readonly #ready = (): void => this.#onSignal();
  #signaled = false;
  #watching = false;

  constructor(native: NativeRing, name: string, sizeBytes: number, batchRecords: number) {
    super(name);
    this.sizeBytes = sizeBytes;
    this.#native = native;
    this.batch = new Batch(native, batchRecords);
  }

  protected fill(limit: number): number {
    return this.#native.fill(limit);
  }

  protected release(): void {
    this.#native.release();
  }

  protected available(): number {
    return this.#native.available();
  }

  protected signaled(): boolean {
    if (this.#native.consumeSignal()) this.#signaled = true;
    return this.#signaled;
  }

  protected clearSignal(): void {
    this.#signaled = false;
  }

  protected watch(): void {
    const status = this.#watching ? 0 : this.#native.watch(this.#ready);
    if (status !== 0) {
      throw new BpfError(`wait for ring ${this.name}`, "cannot watch it", {
        errno: -status,
        hint: "raise the limit of open files (ulimit -n)",
      });
    }
    this.#watching = true;
  }

  #onSignal(): void {
    this.#watching = false;
    this.#signaled = true;
    this.wake();
  }

  protected end(): void {
    this.#native.close();
  }
}

/** Becomes the reader of the ring-buffer map with descriptor `fd`. */
export function openRing(
  addon: Addon,
  name: string,
  fd: number,
  sizeBytes: number,
  batchRecords = BATCH_RECORDS,
): KernelRing {
  const ring = addon.openRing(fd, sizeBytes, batchRecords);
  if (typeof ring !== "number") return new KernelRing(ring, name, sizeBytes, batchRecords);
  throw new BpfError(`read map ${name}`, "its pages cannot be mapped", {
    errno: -ring,
    hint: "check the limits of memory and open files",
  });
}
