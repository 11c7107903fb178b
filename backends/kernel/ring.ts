/**
 * Reads a ring buffer of the kernel in place: the addon maps its pages and finds the records of a
 * batch, in one call a batch; JavaScript looks at the same memory.
 *
 * The buffer of a batch is memory that the kernel gives read-only: writing to it ends the process.
 */
import type { RecordBatch, RecordBatchHandler, RingReader } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import type { Addon, NativeRing } from "./addon.ts";

/** Records in one batch, unless said otherwise. */
export const BATCH_RECORDS = 1024;

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

export class KernelRing implements RingReader {
  readonly sizeBytes: number;
  readonly name: string;
  readonly #native: NativeRing;
  readonly #batch: Batch;
  readonly #waiters = new Set<() => void>();
  readonly #ready = (): void => this.#signal();
  #signaled = false;
  #watching = false;
  #consuming = false;
  #closed = false;

  constructor(native: NativeRing, name: string, sizeBytes: number, batchRecords: number) {
    this.name = name;
    this.sizeBytes = sizeBytes;
    this.#native = native;
    this.#batch = new Batch(native, batchRecords);
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
      if (this.#closed) this.#native.close();
    }
  }

  #consume(handler: RecordBatchHandler, maxRecords: number): number {
    const native = this.#native;
    const batch = this.#batch;
    const capacity = batch.offsets.length;
    let total = 0;
    while (total < maxRecords && !this.#closed) {
      batch.count = native.fill(Math.min(capacity, maxRecords - total));
      if (batch.count > 0) handler(batch);
      // Also without a record: discarded ones may have been passed over.
      native.release();
      if (batch.count === 0) break;
      total += batch.count;
    }
    return total;
  }

  availableBytes(): number {
    this.#checkOpen("measure");
    return this.#native.available();
  }

  /**
   * As epoll: true at once while signalled data is unread; data that was committed without a wake-up
   * does not end the wait.
   */
  wait(timeout_ms: number): Promise<boolean> {
    this.#checkOpen("wait for");
    if (this.#native.consumeSignal()) this.#signaled = true;
    if (this.#signaled) {
      if (this.#native.available() > 0) return Promise.resolve(true);
      this.#signaled = false;
    }
    const status = this.#watching ? 0 : this.#native.watch(this.#ready);
    if (status !== 0) {
      throw new BpfError(`wait for ring ${this.name}`, "cannot watch it", {
        errno: -status,
        hint: "raise the limit of open files (ulimit -n)",
      });
    }
    this.#watching = true;
    return new Promise((resolve) => {
      const finish = (signaled: boolean): void => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve(signaled);
      };
      const wake = (): void => finish(!this.#closed);
      const timer = setTimeout(() => finish(false), timeout_ms);
      this.#waiters.add(wake);
    });
  }

  /** Pending waits resolve to false. From within a handler it takes effect when that returned. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    if (!this.#consuming) this.#native.close();
  }

  #signal(): void {
    this.#watching = false;
    this.#signaled = true;
    this.#wake();
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
