/** What a batch processor counts, and what it tells of it. */
import { DDSketch } from "../stats/quantiles/ddsketch.ts";
import type { FlushReason } from "./lane.ts";

export interface BatchStatistics {
  readonly eventsReceived: number;
  readonly eventsProcessed: number;
  readonly eventsDropped: number;
  /** Taken by the log, and refused for good by a sink afterwards: each sink counts for itself. */
  readonly eventsRefusedLater: number;
  readonly batchesCreated: number;
  readonly batchesSent: number;
  readonly batchesFailed: number;
  readonly bytesProcessed: number;
  readonly bytesEncoded: number;
  /** Part of the bytes that encoding saved. */
  readonly compressionSavings: number;
  readonly averageBatchSize: number;
  readonly flushes: Readonly<Record<FlushReason, number>>;
  readonly batchSizeTarget: number;
  /** Time from event to acknowledgement, in milliseconds. */
  readonly p50LatencyMs: number;
  readonly p95LatencyMs: number;
  readonly p99LatencyMs: number;
  readonly bufferedBytes: number;
  readonly pending: number;
}

/** What only the processor knows, at the moment of asking. */
type Present = Pick<
  BatchStatistics,
  "eventsRefusedLater" | "batchSizeTarget" | "bufferedBytes" | "pending"
>;

export class BatchCounts {
  /** Events. */
  received = 0;
  processed = 0;
  dropped = 0;
  /** Batches. */
  created = 0;
  sent = 0;
  failed = 0;
  /** Bytes of records, before and after encoding. */
  raw = 0;
  encoded = 0;
  readonly flushes: Record<FlushReason, number> = { size: 0, bytes: 0, age: 0, drain: 0 };
  readonly sojourn_ms = new DDSketch();

  statistics(present: Present): BatchStatistics {
    const { received, processed, dropped, created, sent, failed, raw, encoded } = this;
    const quantile = (q: number): number => (processed === 0 ? 0 : this.sojourn_ms.quantile(q));
    return {
      ...present,
      eventsReceived: received,
      eventsProcessed: processed,
      eventsDropped: dropped,
      batchesCreated: created,
      batchesSent: sent,
      batchesFailed: failed,
      bytesProcessed: raw,
      bytesEncoded: encoded,
      compressionSavings: raw === 0 ? 0 : 1 - encoded / raw,
      averageBatchSize: sent === 0 ? 0 : processed / sent,
      flushes: { ...this.flushes },
      p50LatencyMs: quantile(0.5),
      p95LatencyMs: quantile(0.95),
      p99LatencyMs: quantile(0.99),
    };
  }
}
