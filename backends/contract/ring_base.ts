/**
 * The reader of a ring as the contract wants it; a backend says how records are found, given back and
 * signalled. Nothing is allocated per batch or per record.
 */
import type { RecordBatch, RecordBatchHandler, RingReader } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";

/** Records in one batch, unless said otherwise. */
export const BATCH_RECORDS = 1024;

export abstract class RingBase implements RingReader {
  abstract readonly sizeBytes: number;
  readonly name: string;
  readonly #waiters = new Set<() => void>();
  #consuming = false;
  #closed = false;

  constructor(name: string) {
    this.name = name;
  }

  protected abstract readonly batch: RecordBatch & { count: number };
  /** Finds the next records, at most `limit`, into `batch`; their number. */
  protected abstract fill(limit: number): number;
  /** Gives what was found back to the producers, and discarded records that were passed over. */
  protected abstract release(): void;
  protected abstract available(): number;
  /** Whether data was signalled and the signal has not been cleared. */
  protected abstract signaled(): boolean;
  protected abstract clearSignal(): void;
  /** Has `wake` called at the next signal. */
  protected abstract watch(): void;
  /** Called once, and never while a handler runs. */
  protected abstract end(): void;

  consume(handler: RecordBatchHandler, maxRecords = Number.POSITIVE_INFINITY): number {
    this.checkOpen("consume");
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
      if (this.#closed) this.end();
    }
  }

  #consume(handler: RecordBatchHandler, maxRecords: number): number {
    const { batch } = this;
    const capacity = batch.offsets.length;
    let total = 0;
    // Takes in what is signalled by now, unless somebody waits for it; of what comes later the next wait knows.
    if (this.#waiters.size === 0) this.signaled();
    while (total < maxRecords && !this.#closed) {
      const caughtUp = this.available() === 0;
      batch.count = this.fill(Math.min(capacity, maxRecords - total));
      if (batch.count > 0) handler(batch);
      // Also without a record: discarded ones may have been passed over.
      this.release();
      if (batch.count === 0) {
        // Else a record that is not committed yet keeps those behind it from being read.
        if (caughtUp) this.clearSignal();
        break;
      }
      total += batch.count;
    }
    return total;
  }

  availableBytes(): number {
    this.checkOpen("measure");
    return this.available();
  }

  /** Data that was committed without a wake-up does not end the wait, whatever was signalled and read before. */
  wait(timeout_ms: number): Promise<boolean> {
    this.checkOpen("wait for");
    if (this.signaled()) {
      if (this.available() > 0) return Promise.resolve(true);
      this.clearSignal();
    }
    this.watch();
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
    this.wake();
    if (!this.#consuming) this.end();
  }

  protected wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  protected checkOpen(operation: string): void {
    if (!this.#closed) return;
    throw new BpfError(`${operation} ring ${this.name}`, "it is closed", {
      errno: ERRNO.EBADF,
      hint: "use it before close()",
    });
  }
}
