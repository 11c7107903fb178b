/** What is remembered of a batch on its way: whose events it holds, and what became of it. */

/** Told once for every event that was accepted and then lost. */
export type LossListener = (
  collector: string,
  reason: string,
  program: number,
  cpu: number,
  count: number,
) => void;

export type LossReason =
  | "encoding_failed"
  | "queue_full"
  | "sink_failed"
  | "sink_rejected"
  | "log_full"
  | "log_failed"
  | "shutdown";

export class Ticket {
  readonly collector: string;
  readonly count: number;
  /** Time of the oldest event, by the clock of events. */
  readonly oldest_ns: number;
  /** When the batch was handed on, in milliseconds of the process's clock. */
  started_ms = 0;
  readonly #events: ReadonlyMap<number, number>;
  #destinations: number;
  #lost = false;

  /** `events`: how many, by `program * 2^16 + cpu`. */
  constructor(
    collector: string,
    count: number,
    oldest_ns: number,
    events: ReadonlyMap<number, number>,
    destinations: number,
  ) {
    this.collector = collector;
    this.count = count;
    this.oldest_ns = oldest_ns;
    this.#events = events;
    this.#destinations = destinations;
  }

  /** Those that have not decided yet. */
  get destinations(): number {
    return this.#destinations;
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** A destination has it, or gave it up. True once all have decided. */
  settle(): boolean {
    this.#destinations -= 1;
    return this.#destinations === 0;
  }

  /** Counts its events as lost, once, whoever else lost them too. */
  lose(reason: LossReason, listener: LossListener): void {
    if (this.#lost) return;
    this.#lost = true;
    for (const [key, count] of this.#events) {
      listener(this.collector, reason, key >>> 16, key & 0xffff, count);
    }
  }
}
