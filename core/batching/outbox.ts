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
  #inFlight = 0;

  /** `done` is told of every batch exactly once. */
  constructor(
    sender: Sender,
    signal: AbortSignal,
    done: (ticket: Ticket, outcome: SendOutcome, bytes: number) => void,
  ) {
    this.sender = sender;
    this.#signal = signal;
    this.#done = done;
  }

  get pending(): number {
    return this.#queue.length + this.#inFlight;
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
    }
  }
}
