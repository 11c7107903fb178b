/**
 * The batches of one collector on their way through encoding. Threads may finish them in any order; they leave in the
 * order in which they came. Records that a thread reads count against the memory budget, with what encoding is going to
 * make of them, and are kept until it is done with them, so that a thread that fails loses nothing: they are encoded here then.
 */
import type { EventSchema } from "../events/event_schema.ts";
import type { BatchEncoding } from "./batch_sink.ts";
import type { EncoderOf, EncoderPool } from "./encoder_pool.ts";
import type { EncodedRecords } from "./encoding/record_encoder.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import type { RecordBuffer } from "./record_buffer.ts";
import type { LossReason, Ticket } from "./ticket.ts";

/** In the order of the line's encodings; or why there is nothing. */
export type Encoded = readonly EncodedRecords[] | LossReason;

export interface EncodingLineOptions {
  readonly schema: EventSchema;
  readonly encodings: readonly BatchEncoding[];
  readonly encoder: EncoderOf;
  readonly pool: EncoderPool | undefined;
  readonly memory: MemoryBudget;
  /** Told of each batch once, in order. */
  readonly leave: (ticket: Ticket, encoded: Encoded) => void;
  /** Nobody reads these records any more. */
  readonly recycle: (records: RecordBuffer) => void;
  /** A thread is done with a batch. */
  readonly freed: () => void;
}

interface Waiting {
  readonly ticket: Ticket;
  encoded: Encoded | undefined;
  /** Taken of the memory budget. */
  held_bytes: number;
}

export class EncodingLine {
  readonly #options: EncodingLineOptions;
  readonly #waiting: Waiting[] = [];
  /** Bytes that a byte of records came to at the last batch; at least one. */
  #growth = 1;

  constructor(options: EncodingLineOptions) {
    this.#options = options;
  }

  /** Batches that have not left. */
  get pending(): number {
    return this.#waiting.length;
  }

  /** The last batch of it has left when this returns, where no thread has one. */
  add(records: RecordBuffer, ticket: Ticket): void {
    const waiting: Waiting = { ticket, encoded: undefined, held_bytes: 0 };
    this.#waiting.push(waiting);
    if (this.#encodeElsewhere(records, waiting)) return;
    this.#encodeHere(records, waiting);
    if (this.#waiting[0] !== waiting) this.#hold(waiting);
    this.#advance();
  }

  #encodeElsewhere(records: RecordBuffer, waiting: Waiting): boolean {
    const { schema, encodings, pool, memory, recycle, freed } = this.#options;
    const bytes = Math.ceil(this.#growth * records.usedBytes);
    if (pool === undefined || !memory.take(bytes)) return false;
    const underway = pool.encode(schema, encodings, records.batch());
    if (underway === undefined) {
      memory.giveBack(bytes);
      return false;
    }
    waiting.held_bytes = bytes;
    const done = (encoded: Encoded | undefined): void => {
      if (encoded === undefined && waiting.encoded === undefined) {
        this.#encodeHere(records, waiting);
      } else {
        waiting.encoded ??= encoded;
        recycle(records);
      }
      this.#advance();
      freed();
    };
    void underway.then(done, () => done(undefined));
    return true;
  }

  #encodeHere(records: RecordBuffer, waiting: Waiting): void {
    const { schema, encodings, encoder, recycle } = this.#options;
    try {
      const batch = records.batch();
      waiting.encoded = encodings.map((encoding) => encoder(schema, encoding).encode(batch));
    } catch {
      waiting.encoded = "encoding_failed";
    }
    recycle(records);
  }

  /** Memory for what was encoded here and has to wait for batches before it. */
  #hold(waiting: Waiting): void {
    const { encoded } = waiting;
    if (typeof encoded !== "object") return;
    const bytes = encodedBytes(encoded);
    if (this.#options.memory.take(bytes)) waiting.held_bytes = bytes;
    else waiting.encoded = "queue_full";
  }

  #advance(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (first?.encoded === undefined) return;
      this.#waiting.shift();
      this.#options.memory.giveBack(first.held_bytes);
      this.#look(first.encoded);
      this.#options.leave(first.ticket, first.encoded);
    }
  }

  #look(encoded: Encoded): void {
    if (typeof encoded !== "object") return;
    const rawBytes = encoded[0]?.rawBytes ?? 0;
    if (rawBytes === 0) return;
    this.#growth = Math.max(1, encodedBytes(encoded) / rawBytes);
  }

  /** Gives up what threads have, for the reason `shutdown`. */
  abandon(): void {
    for (const waiting of this.#waiting) waiting.encoded ??= "shutdown";
    this.#advance();
  }
}

function encodedBytes(encoded: readonly EncodedRecords[]): number {
  return encoded.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
