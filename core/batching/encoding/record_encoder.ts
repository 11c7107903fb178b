/** What turns a batch of ring records into bytes for a log or a sink. */
import type { RecordBatch } from "../../backend.ts";
import type { BatchEncoding } from "../batch_sink.ts";

export interface EncodedRecords {
  /** Belongs to the caller. */
  readonly bytes: Uint8Array;
  /** Records in it: all of the batch but those that are no event of the collector. */
  readonly count: number;
  /** Bytes of those records as they came out of the ring, which savings are measured against. */
  readonly rawBytes: number;
  /** Records left out because they were too short or of an unknown type. */
  readonly malformed: number;
}

/** One per collector and thread: it keeps scratch memory. */
export interface RecordEncoder {
  readonly encoding: BatchEncoding;
  /** `batch` is only read, and only during the call. Allocates per batch, never per record. */
  encode(batch: RecordBatch): EncodedRecords;
}
