/**
 * Reads a ring of the runtime (`runtime/ring.h`) in place: records are handed over as offsets into the
 * instance's memory. Nothing is allocated per batch or per record.
 */
import type { RecordBatch, RecordBatchHandler, RingReader } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import type { RuntimeInstance } from "./instance.ts";

/** Records in one batch, unless said otherwise. */
export const BATCH_RECORDS = 1024;

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

export class WasmRing implements RingReader {
  readonly sizeBytes: number;
  readonly name: string;
  readonly #instance: RuntimeInstance;
  readonly #ring: number;
  /** `struct rt_ring` as words. */
  readonly #words: Uint32Array;
  readonly #batch: Batch;
  readonly #release: () => void;
  readonly #waiters = new Set<() => void>();
  #consuming = false;
  #closed = false;

  /** Takes over the ring at address `ring`, which has been opened; `release` gives it back. */
  constructor(instance: RuntimeInstance, name: string, ring: number, release: () => void) {
    this.name = name;
    this.#instance = instance;
    this.#ring = ring;
    this.#words = instance.u32.subarray(ring / 4, ring / 4 + CAPACITY + 1);
    this.sizeBytes = this.#words[MASK]! + 1;
    this.#batch = new Batch(instance, ring);
    this.#release = release;
    // Whoever starts to watch a ring looks once, as epoll does.
    this.#words[SIGNALED] = 1;
    instance.wakers.set(ring, () => this.#wake());
  }

  consume(handler: RecordBatchHandler, maxRecords = Number.POSITIVE_INFINITY): number {
    this.#checkOpen("consume");
    if (this.#consuming) {
      throw new BpfError(`consume ring ${this.name}`, "its handler is still running", {
        errno: ERRNO.EBUSY,
        hint: "return from the handler first",
      });
    }
    this.#consuming = true;
    try {
      return this.#consume(handler, maxRecords);
    } finally {
      this.#consuming = false;
      if (this.#closed) this.#giveBack();
    }
  }

  #consume(handler: RecordBatchHandler, maxRecords: number): number {
    const { rt_ring_fill, rt_ring_release } = this.#instance.exports;
    const batch = this.#batch;
    const capacity = batch.offsets.length;
    let total = 0;
    while (total < maxRecords && !this.#closed) {
      batch.count = rt_ring_fill(this.#ring, Math.min(capacity, maxRecords - total));
      if (batch.count > 0) handler(batch);
      // Also without a record: discarded ones may have been passed over.
      rt_ring_release(this.#ring);
      if (batch.count === 0) break;
      total += batch.count;
    }
    return total;
  }

  availableBytes(): number {
    this.#checkOpen("measure");
    return this.#available();
  }

  /** How often producers signalled data since the ring exists. */
  wakeups(): number {
    this.#checkOpen("measure");
    return this.#words[WAKEUPS]!;
  }

  /**
   * As epoll: true at once while signalled data is unread; data that was committed without a wake-up
   * does not end the wait.
   */
  wait(timeout_ms: number): Promise<boolean> {
    this.#checkOpen("wait for");
    if (this.#words[SIGNALED] !== 0) {
      if (this.#available() > 0) return Promise.resolve(true);
      this.#words[SIGNALED] = 0;
    }
    return new Promise((resolve) => {
      const finish = (signaled: boolean): void => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve(signaled);
      };
      const wake = (): void => finish(!this.#closed);
      const timer = setTimeout(() => finish(false), timeout_ms);
      this.#waiters.add(wake);
      this.#words[WAITING] = 1;
    });
  }

  /** Pending waits resolve to false. From within a handler it takes effect when that returned. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    if (!this.#consuming) this.#giveBack();
  }

  #giveBack(): void {
    this.#instance.wakers.delete(this.#ring);
    this.#release();
  }

  /** Positions are 64 bits wide; their distance fits the low half. */
  #available(): number {
    return (this.#words[PRODUCER]! - this.#words[CONSUMER]!) >>> 0;
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  #checkOpen(operation: string): void {
    if (!this.#closed) return;
    throw new BpfError(`${operation} ring ${this.name}`, "it is closed", {
      errno: ERRNO.EBADF,
      hint: "use it before close()",
    });
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
