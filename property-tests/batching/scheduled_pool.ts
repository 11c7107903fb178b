/** Threads whose every step a schedule decides: which batch is encoded next, and which never is. */
import type { RecordBatch } from "#core/backend.ts";
import type { BatchEncoding } from "#core/batching/batch_sink.ts";
import type { EncoderPool } from "#core/batching/encoder_pool.ts";
import type { EncodedRecords, RecordEncoder } from "#core/batching/encoding/record_encoder.ts";
import type { EventSchema } from "#core/events/event_schema.ts";

/** What becomes of a batch that a thread has. */
export type ThreadOutcome = "encoded" | "failed";

interface Job {
  readonly finish: () => void;
  readonly fail: () => void;
}

export class ScheduledPool implements EncoderPool {
  readonly #encoder: RecordEncoder;
  readonly #capacity: number;
  #jobs: Job[] = [];
  /** Batches that were handed to a thread at all. */
  taken = 0;

  constructor(encoder: RecordEncoder, capacity: number) {
    this.#encoder = encoder;
    this.#capacity = capacity;
  }

  allocate(bytes: number): SharedArrayBuffer {
    return new SharedArrayBuffer(bytes);
  }

  get idle(): boolean {
    return this.#jobs.length < this.#capacity;
  }

  encode(
    _: EventSchema,
    encodings: readonly BatchEncoding[],
    records: RecordBatch,
  ): Promise<readonly EncodedRecords[]> | undefined {
    if (!this.idle) return undefined;
    this.taken += 1;
    return new Promise((resolve, reject) => {
      // Reads the records as late as may be: whoever used their memory again would be found out.
      const finish = (): void => {
        try {
          resolve(encodings.map(() => this.#encoder.encode(records)));
        } catch (error) {
          reject(error);
        }
      };
      this.#jobs.push({ finish, fail: () => reject(new Error("a thread ended")) });
    });
  }

  convert(): undefined {
    return undefined;
  }

  /** One of the batches under way, if there are any. */
  step(which: number, outcome: ThreadOutcome): void {
    const [job] = this.#jobs.splice(which % Math.max(1, this.#jobs.length), 1);
    if (outcome === "encoded") job?.finish();
    else job?.fail();
  }

  async close(): Promise<void> {
    for (const { fail } of this.#jobs.splice(0)) fail();
  }
}
