/** What a log is opened with. */
import type { LogClock, LogStorage } from "./log_storage.ts";

export interface LogOptions {
  readonly storage: LogStorage;
  readonly clock: LogClock;
  /** Given to every reader of its records: the columnar schema header. */
  readonly header: Uint8Array;
  /**
   * All consumers that there are: only those keep batches in the log, positions of others are
   * forgotten. Default: those that earlier processes knew. `cursor` adds what is missing.
   */
  readonly consumers?: readonly string[];
  readonly sync: "always" | "group" | "never";
  readonly sync_interval_ms: number;
  readonly sync_bytes: number;
  readonly segment_bytes: number;
  readonly max_bytes: number;
  readonly when_full: "block" | "drop_oldest" | "drop_newest";
  /** Longest time between an acknowledgement and its being on disk. */
  readonly position_interval_ms?: number;
  /** Time after which a log that failed tries the disk again. */
  readonly retry_ms?: number;
  /** Appends that may wait at once. */
  readonly queue_max?: number;
}

export const DEFAULT_LOG_OPTIONS = {
  position_interval_ms: 200,
  retry_ms: 1000,
  queue_max: 4096,
} as const;

export type CompleteLogOptions = LogOptions &
  Required<Pick<LogOptions, "position_interval_ms" | "retry_ms" | "queue_max">>;
