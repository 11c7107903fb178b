/** Hands encoded batches to the log that keeps them for the sinks. */
import type { EncodedRecords } from "./encoding/record_encoder.ts";
import type { AppendResult, BatchLog } from "./log/batch_log.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import type { Settlements } from "./settlements.ts";
import type { LossReason, Ticket } from "./ticket.ts";

export class LogAppender {
  readonly #log: BatchLog;
  readonly #memory: MemoryBudget;
  readonly #settlements: Settlements;
  readonly #signal: AbortSignal;
  #appending = 0;

  constructor(log: BatchLog, memory: MemoryBudget, settlements: Settlements, signal: AbortSignal) {
    this.#log = log;
    this.#memory = memory;
    this.#settlements = settlements;
    this.#signal = signal;
  }

  /** Batches that are not in the log yet. */
  get pending(): number {
    return this.#appending;
  }

  /** Appends in the order of the calls. */
  async append({ bytes, count }: EncodedRecords, ticket: Ticket): Promise<void> {
    if (!this.#memory.take(bytes.length)) {
      this.#settlements.settle(ticket, "queue_full");
      return;
    }
    this.#appending += 1;
    let reason: LossReason | undefined = "log_failed";
    try {
      reason = lossOf(await this.#log.append(bytes, count, this.#signal));
    } catch {
      // The log tells its problem by itself.
    } finally {
      this.#appending -= 1;
      this.#memory.giveBack(bytes.length);
      this.#settlements.settle(ticket, reason);
    }
  }
}

function lossOf(result: AppendResult): LossReason | undefined {
  if (result.status === "accepted") return undefined;
  return result.reason === "log_full" ? "log_full" : "log_failed";
}
