/** The sinks' queues, where no log keeps the batches: every sink gets every batch, in its encoding. */
import type { EncodedBatch } from "./batch_sink.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import { Outbox } from "./outbox.ts";
import type { Sender, SendOutcome } from "./sender.ts";
import type { Settlements } from "./settlements.ts";
import type { LossReason, Ticket } from "./ticket.ts";

const LOSS_OF: Readonly<Record<SendOutcome, LossReason | undefined>> = {
  accepted: undefined,
  rejected: "sink_rejected",
  failed: "sink_failed",
  aborted: "shutdown",
};

export interface OutboxesOptions {
  readonly senders: readonly Sender[];
  readonly memory: MemoryBudget;
  readonly settlements: Settlements;
  readonly signal: AbortSignal;
  readonly now_ms: () => number;
  /** A sink is done with a batch. */
  readonly sent: () => void;
}

export class Outboxes {
  readonly #options: OutboxesOptions;
  readonly #outboxes: readonly Outbox[];

  constructor(options: OutboxesOptions) {
    const { senders, memory, settlements, signal, now_ms, sent } = options;
    this.#options = options;
    const done = (ticket: Ticket, outcome: SendOutcome, bytes: number): void => {
      memory.giveBack(bytes);
      settlements.settle(ticket, LOSS_OF[outcome]);
      sent();
    };
    this.#outboxes = senders.map((sender) => new Outbox(sender, signal, now_ms, done));
  }

  get pending(): number {
    return this.#outboxes.reduce((sum, { pending }) => sum + pending, 0);
  }

  /** Whether some sink would be sent the next batch at once, after `coming` that are not here yet. */
  takes(coming: number): boolean {
    return this.#outboxes.some((outbox) => outbox.takes(coming));
  }

  /**
   * At the sink that is least behind: one that is down slows the others only when its batches fill the memory. Since
   * the last call, as `Outbox.takeLine_ms`.
   */
  takeLine_ms(): number | undefined {
    const lines = this.#outboxes.map((outbox) => outbox.takeLine_ms());
    const known = lines.filter((line_ms) => line_ms !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** `batches`: the same records in the encoding of each sink, in the order of the sinks. */
  offer(batches: readonly EncodedBatch[], ticket: Ticket): void {
    const { memory, settlements } = this.#options;
    this.#outboxes.forEach((outbox, i) => {
      const batch = batches[i]!;
      if (memory.take(batch.bytes.length)) outbox.offer(batch, ticket);
      else settlements.settle(ticket, "queue_full");
    });
  }
}
