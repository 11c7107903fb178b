/** One collector's events on their way into batches. */
import type { RecordBatch } from "../backend.ts";
import type { EventSchema } from "../events/event_schema.ts";
import { EventCounts } from "./event_counts.ts";
import { RecordBuffer } from "./record_buffer.ts";
import { Ticket } from "./ticket.ts";

export type FlushReason = "size" | "bytes" | "age" | "drain";

/** When a batch is large enough. */
export interface BatchLimits {
  readonly events: number;
  /** Of records; the last one may exceed it. */
  readonly bytes: number;
}

export class Lane {
  readonly schema: EventSchema;
  readonly #createBuffer: () => RecordBuffer;
  #buffer: RecordBuffer;
  /** Empty ones, to be used again. */
  readonly #spare: RecordBuffer[] = [];
  readonly #events = new EventCounts();
  #bytes = 0;
  #first_ns = 0;
  #oldest_ns = 0;

  /** Buffers begin with `bytes`, and come from `allocate`. */
  constructor(
    schema: EventSchema,
    bytes: number,
    allocate: (bytes: number) => ArrayBufferLike = (size) => new ArrayBuffer(size),
  ) {
    this.schema = schema;
    this.#createBuffer = () => new RecordBuffer(bytes, allocate);
    this.#buffer = this.#createBuffer();
  }

  get count(): number {
    return this.#buffer.count;
  }

  /** Of the gathered records. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the first of the gathered events came, by the clock of events. */
  get first_ns(): number {
    return this.#first_ns;
  }

  /**
   * Gathers from record `from` of `batch` on until a limit is reached; records that are too short for a header are left
   * out. Returns the index of the next record.
   */
  gather(batch: RecordBatch, from: number, now_ns: number, limits: BatchLimits): number {
    const { header, headerSize } = this.schema;
    const { view, offsets, lengths } = batch;
    let room = limits.events - this.count;
    let first = from;
    let next = from;
    for (; next < batch.count && room > 0 && this.#bytes < limits.bytes; next++) {
      const length = lengths[next]!;
      if (length < headerSize) {
        this.#buffer.add(batch, first, next);
        first = next + 1;
        continue;
      }
      const at = offsets[next]!;
      const time_ns = header.timestamp_ns(view, at);
      if (this.#bytes === 0) {
        this.#first_ns = now_ns;
        this.#oldest_ns = time_ns;
      }
      if (time_ns < this.#oldest_ns) this.#oldest_ns = time_ns;
      this.#events.add(header.program(view, at), header.cpu(view, at));
      this.#bytes += length;
      room -= 1;
    }
    this.#buffer.add(batch, first, next);
    return next;
  }

  /** What gathered, and its ticket; the lane is empty then. The records come back through `recycle`. */
  take(destinations: number): { readonly records: RecordBuffer; readonly ticket: Ticket } {
    const records = this.#buffer;
    const ticket = new Ticket(
      this.schema.collector.name,
      records.count,
      this.#oldest_ns,
      this.#events.take(),
      destinations,
    );
    this.#buffer = this.#spare.pop() ?? this.#createBuffer();
    this.#bytes = 0;
    return { records, ticket };
  }

  /** Nobody reads these records any more. */
  recycle(records: RecordBuffer): void {
    records.clear();
    this.#spare.push(records);
  }
}
