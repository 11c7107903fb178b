/**
 * Where encoded batches go. A sink takes batches in order, acknowledges each on its own, and never
 * decides by itself to try again: that is its caller's part, which knows the deadline and the log.
 */

/**
 * - `columnar`: blocks of `docs/batch-format.md`; a file starts with `EncodedBatch.schemaHeader`.
 * - `ndjson`: one JSON object a line.
 * - `otlp_logs`: one `ExportLogsServiceRequest` in protobuf.
 */
export type BatchEncoding = "columnar" | "ndjson" | "otlp_logs";

/** One batch in a sink's encoding. Its arrays are read-only, and stay valid until `send` settles. */
export interface EncodedBatch {
  readonly bytes: Uint8Array;
  /** Event records in it. */
  readonly count: number;
  /** Collector that the records come from. */
  readonly collector: string;
  /**
   * Dedupe key: a batch that is sent again, even by another process after a crash, has the same
   * pair. Sequences ascend within a log. Without a log, `segment` is 0.
   */
  readonly segment: number;
  readonly sequence: number;
  /**
   * What a reader of columnar blocks needs to know, the start of every columnar file. Batches that
   * can share a file have equal headers.
   */
  readonly schemaHeader: Uint8Array;
}

export type SendResult =
  /**
   * The destination has it, durably as far as it promises that. `rejectedRecords`: those that the
   * destination refused for good within an otherwise accepted batch.
   */
  | { readonly outcome: "accepted"; readonly rejectedRecords?: number }
  /** Not taken now. `after_ms`: how long the destination asks to wait; absent where it said nothing. */
  | { readonly outcome: "retry_after"; readonly after_ms?: number; readonly reason: string }
  /** Refused for good: sending the same again would end the same way. */
  | { readonly outcome: "rejected"; readonly reason: string };

export interface BatchSink {
  /** Unique among the sinks of a run; names the position in the log (`"otlp:http://host:4318/v1/logs"`). */
  readonly name: string;
  readonly encoding: BatchEncoding;
  /**
   * How many `send`s may be under way at once. The sink keeps them in the order of the calls, and
   * may make several durable together.
   */
  readonly maxInFlight: number;
  /**
   * Resolves when the fate of the batch is known; every failure of the destination is a result. An
   * aborted `signal` ends it soon, as `retry_after`: whether the batch arrived is then unknown.
   */
  send(batch: EncodedBatch, signal: AbortSignal): Promise<SendResult>;
  /** Waits for what is under way. Closing twice is a no-op; `send` after it is rejected. */
  close(): Promise<void>;
}
