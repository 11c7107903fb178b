/** What became of batches: settles their tickets, counts them, and tells the controller how long they took. */
import type { BatchController } from "./batch_controller.ts";
import type { BatchCounts } from "./batch_statistics.ts";
import type { LossListener, LossReason, Ticket } from "./ticket.ts";

const NANOSECONDS_PER_MS = 1e6;

export interface SettlementOptions {
  readonly counts: BatchCounts;
  readonly controller: BatchController;
  readonly now_ns: () => number;
  readonly now_ms: () => number;
}

export class Settlements {
  readonly #options: SettlementOptions;
  /** Told of events that were accepted and then lost. */
  listener: LossListener = () => {};

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  /** One destination has the batch, or gave it up for `reason`. */
  settle(ticket: Ticket, reason: LossReason | undefined): void {
    const { counts, controller, now_ns, now_ms } = this.#options;
    if (reason !== undefined && !ticket.lost) {
      ticket.lose(reason, this.listener);
      counts.dropped += ticket.count;
      counts.failed += 1;
    }
    if (!ticket.settle() || ticket.lost) return;
    const sojourn_ms = Math.max(0, now_ns() - ticket.oldest_ns) / NANOSECONDS_PER_MS;
    counts.sojourn_ms.add(sojourn_ms, ticket.count);
    counts.processed += ticket.count;
    counts.sent += 1;
    controller.sent(ticket.count, now_ms() - ticket.started_ms, sojourn_ms);
  }

  /** No destination gets the batch. */
  lose(ticket: Ticket, reason: LossReason): void {
    const { destinations } = ticket;
    for (let i = 0; i < destinations; i++) this.settle(ticket, reason);
  }
}
