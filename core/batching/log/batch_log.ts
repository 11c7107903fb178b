/** The durable queue between encoding and sinks, as its users see it. */

/** `(segment, sequence)` is the dedupe key; `sequence` alone orders batches, from 1, without gaps. */
export interface LogPosition {
  readonly segment: number;
  readonly sequence: number;
}

export interface LogRecord extends LogPosition {
  /** What was appended; valid as long as it is referenced. */
  readonly payload: Uint8Array;
  /** Event records in the payload, as its writer said. */
  readonly count: number;
  /** The header of the log that wrote it, perhaps an older version's: a columnar schema header. */
  readonly header: Uint8Array;
}

export type AppendResult =
  /** As durable as the log's sync policy promises. */
  | { readonly status: "accepted"; readonly segment: number; readonly sequence: number }
  /**
   * Not in the log. `log_full`: at its size cap with policy `drop_newest`, or `block` and aborted;
   * `log_failed`: the disk is full, read-only or broken (try again later); `closed`.
   */
  | {
      readonly status: "refused";
      readonly reason: "log_full" | "log_failed" | "closed";
      readonly problem: string;
    };

export interface BatchLog {
  /** Appends in the order of the calls. With policy `block`, waits for room until `signal`. */
  append(payload: Uint8Array, count: number, signal?: AbortSignal): Promise<AppendResult>;
  /** The one cursor of a consumer; its position survives restarts under this name. */
  cursor(consumer: string): LogCursor;
  /** Makes everything accepted so far durable, whatever the policy. Throws `BpfError` where that fails. */
  sync(): Promise<void>;
  /** How much of its size cap is in use, from 0 to 1. The newest segment, which leaves as a whole, is not counted. */
  fill(): number;
  getStatistics(): LogStatistics;
  /** Syncs, keeps the positions, lets the next process in. Twice is a no-op. */
  close(): Promise<void>;
}

export interface LogCursor {
  readonly consumer: string;
  /** The next batch in sequence; waits for one. Undefined once the log is closed or `signal` aborted. */
  next(signal?: AbortSignal): Promise<LogRecord | undefined>;
  /**
   * The batch needs no sending again. In any order; the position moves over the longest
   * acknowledged run, and is on disk within the log's position interval: a crash before sends again.
   */
  acknowledge(sequence: number): void;
  /** Batches in the log that this consumer has not acknowledged. */
  readonly pending: number;
}

/** Cumulative but for `bytes`, `segments`, `pending` and `state`. */
export interface LogStatistics {
  readonly state: "healthy" | "failed" | "closed";
  /** Why the last operation failed, `""` while healthy. */
  readonly problem: string;
  /** On disk now. */
  readonly bytes: number;
  readonly segments: number;
  /** Batches that some consumer has not acknowledged. */
  readonly pending: number;
  readonly batches_appended: number;
  readonly events_appended: number;
  readonly bytes_appended: number;
  readonly batches_refused: number;
  readonly events_refused: number;
  /** Given up by `drop_oldest` before some consumer acknowledged them. */
  readonly batches_dropped: number;
  readonly events_dropped: number;
  readonly syncs: number;
  readonly sync_failures: number;
  readonly write_failures: number;
  readonly segments_abandoned: number;
  /** Found unreadable on recovery or on reading. */
  readonly batches_corrupt: number;
  readonly segments_deleted: number;
}
