/** Sends batches to one sink, one after the other as they come, and again where that may help. */
import type { BatchSink, EncodedBatch } from "./batch_sink.ts";
import { type Backoff, backoff_ms } from "./retry.ts";

export interface SenderOptions {
  readonly backoff: Backoff;
  /** Attempts after the first; Infinity where a log keeps the batch. */
  readonly maxRetries: number;
  readonly random: () => number;
  /** Resolves after that time, or at once when the signal is aborted. */
  readonly sleep: (time_ms: number, signal: AbortSignal) => Promise<void>;
}

export type SendOutcome = "accepted" | "rejected" | "failed" | "aborted";

export interface SenderStatistics {
  sent: number;
  retries: number;
  rejected: number;
  failed: number;
  /** Since the last success. */
  failuresInARow: number;
  /** Why the last attempt failed; empty after a success. */
  problem: string;
}

export class Sender {
  readonly sink: BatchSink;
  readonly statistics: SenderStatistics = {
    sent: 0,
    retries: 0,
    rejected: 0,
    failed: 0,
    failuresInARow: 0,
    problem: "",
  };
  readonly #options: SenderOptions;
  /** While it is set, somebody waits before trying again, and others wait with them: an open circuit. */
  #pause: Promise<void> | undefined;

  constructor(sink: BatchSink, options: SenderOptions) {
    this.sink = sink;
    this.#options = options;
  }

  get open(): boolean {
    return this.#pause !== undefined;
  }

  async send(batch: EncodedBatch, signal: AbortSignal): Promise<SendOutcome> {
    const { maxRetries } = this.#options;
    for (let attempt = 0; ; attempt++) {
      await this.#pause;
      if (signal.aborted) return "aborted";
      const result = await this.sink.send(batch, signal);
      const { statistics } = this;
      if (result.outcome === "accepted") {
        statistics.sent += 1;
        statistics.failuresInARow = 0;
        statistics.problem = "";
        return "accepted";
      }
      statistics.problem = result.reason;
      if (result.outcome === "rejected") {
        statistics.rejected += 1;
        return "rejected";
      }
      statistics.failuresInARow += 1;
      if (attempt >= maxRetries) {
        statistics.failed += 1;
        return "failed";
      }
      statistics.retries += 1;
      await this.#wait(attempt, result.after_ms, signal);
    }
  }

  async #wait(attempt: number, after_ms: number | undefined, signal: AbortSignal): Promise<void> {
    const { backoff, random, sleep } = this.#options;
    const pause = sleep(backoff_ms(backoff, attempt, random(), after_ms), signal);
    this.#pause ??= pause;
    const own = this.#pause;
    await pause;
    if (this.#pause === own) this.#pause = undefined;
  }
}
