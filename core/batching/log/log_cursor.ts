/** A consumer's way through the log. */
import type { LogCursor, LogRecord } from "./batch_log.ts";
import type { Consumer, LogEntry, LogIndex } from "./log_index.ts";
import type { Segment } from "./segment.ts";

/** What a cursor needs of its log. */
export interface CursorLog {
  readonly index: LogIndex<Segment>;
  readonly closed: boolean;
  /** Resolves when something was appended or the log was closed, or `signal` aborted. */
  changed(signal: AbortSignal | undefined): Promise<void>;
  /** Undefined where it cannot be read; then it is no longer in the index. */
  read(entry: LogEntry<Segment>): Promise<LogRecord | undefined>;
  /** Some consumer moved on. */
  released(): void;
}

export class WriteAheadCursor implements LogCursor {
  readonly consumer: string;
  readonly #log: CursorLog;
  readonly #state: Consumer;
  /** Sequence that is looked for next. */
  #next: number;

  constructor(log: CursorLog, state: Consumer) {
    this.consumer = state.name;
    this.#log = log;
    this.#state = state;
    this.#next = state.position + 1;
  }

  async next(signal?: AbortSignal): Promise<LogRecord | undefined> {
    while (!this.#log.closed && signal?.aborted !== true) {
      const entry = this.#log.index.from(Math.max(this.#next, this.#state.position + 1));
      if (entry === undefined) {
        await this.#log.changed(signal);
        continue;
      }
      this.#next = entry.sequence + 1;
      const record = await this.#log.read(entry);
      if (record !== undefined) return record;
    }
    return undefined;
  }

  acknowledge(sequence: number): void {
    const { index } = this.#log;
    if (sequence >= this.#next || !index.acknowledge(this.#state, sequence)) return;
    index.release();
    this.#log.released();
  }

  get pending(): number {
    return this.#log.index.countAfter(this.#state.position) - this.#state.ahead.size;
  }
}
