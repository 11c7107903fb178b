/** The bounded queue in front of one sink, where no log keeps the batches. */
import type { EncodedBatch } from "./batch_sink.ts";
import type { Sender, SendOutcome } from "./sender.ts";
import type { Ticket } from "./ticket.ts";

interface Waiting {
  readonly batch: EncodedBatch;
  readonly ticket: Ticket;
}

export class Outbox {
  readonly sender: Sender;
  readonly #done: (ticket: Ticket, outcome: SendOutcome, bytes: number) => void;
  readonly #signal: AbortSignal;
  readonly #queue: Waiting[] = [];
  readonly #now_ms: () => number;
  #inFlight = 0;
  #line_ms: number | undefined;

  /** `done` is told of every batch exactly once. */
  constructor(
    sender: Sender,
    signal: AbortSignal,
    now_ms: () => number,
    done: (ticket: Ticket, outcome: SendOutcome, bytes: number) => void,
  ) {
    this.sender = sender;
    this.#signal = signal;
    this.#now_ms = now_ms;
    this.#done = done;
  }

  get pending(): number {
    return this.#queue.length + this.#inFlight;
  }

  /** Whether the next batch would be sent at once, after `coming` that are not here yet. */
  takes(coming: number): boolean {
    return this.pending + coming < this.sender.sink.maxInFlight;
  }

  /**
   * How long the next batch had waited whenever the sink finished one, since the last call: the shortest of these.
   * Undefined where it finished none.
   */
  takeLine_ms(): number | undefined {
    const line_ms = this.#line_ms;
    this.#line_ms = undefined;
    return line_ms;
  }

  #lookAtLine(): void {
    const [next] = this.#queue;
    const line_ms = next === undefined ? 0 : this.#now_ms() - next.ticket.started_ms;
    this.#line_ms = Math.min(line_ms, this.#line_ms ?? line_ms);
  }

  offer(batch: EncodedBatch, ticket: Ticket): void {
    this.#queue.push({ batch, ticket });
    this.#pump();
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#inFlight < this.sender.sink.maxInFlight) {
      this.#inFlight += 1;
      void this.#send(this.#queue.shift()!);
    }
  }

  async #send({ batch, ticket }: Waiting): Promise<void> {
    let outcome: SendOutcome = "failed";
    try {
      outcome = await this.sender.send(batch, this.#signal);
    } finally {
      this.#inFlight -= 1;
      this.#done(ticket, outcome, batch.bytes.length);
      this.#pump();
      this.#lookAtLine();
    }
  }
}
