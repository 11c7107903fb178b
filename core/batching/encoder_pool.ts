/** Who turns gathered records into the encodings that destinations want: this thread, or others. */
import type { RecordBatch } from "../backend.ts";
import type { EventSchema } from "../events/event_schema.ts";
import type { BatchEncoding } from "./batch_sink.ts";
import type { EncodedRecords, RecordEncoder } from "./encoding/record_encoder.ts";

/** The encoder of this thread for a collector and encoding: the same one every time, for it keeps scratch memory. */
export type EncoderOf = (schema: EventSchema, encoding: BatchEncoding) => RecordEncoder;

export interface EncoderPool {
  /** Memory for records that its threads can read, too. */
  allocate(bytes: number): ArrayBufferLike;
  /** Whether a thread is free for the next batch; true where there is no thread yet, or any more. */
  readonly idle: boolean;
  /**
   * The batch in each of `encodings`, in their order, from another thread. `records` lie in memory of `allocate` and stay
   * as they are until the promise settles. Undefined where no thread is free: the caller encodes. Rejects where the thread
   * failed or ended: the caller encodes then, too.
   */
  encode(
    schema: EventSchema,
    encodings: readonly BatchEncoding[],
    records: RecordBatch,
  ): Promise<readonly EncodedRecords[]> | undefined;
  /** A columnar batch in another encoding; otherwise as `encode`. */
  convert(
    schema: EventSchema,
    columnar: Uint8Array,
    encoding: BatchEncoding,
  ): Promise<Uint8Array> | undefined;
  /** Ends the threads; what they had not encoded is rejected. */
  close(): Promise<void>;
}
