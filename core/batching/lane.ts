/** One collector's events on their way into batches. */
import type { RecordBatch } from "../backend.ts";
import type { NumberReader } from "../btf/fields.ts";
import type { EventSchema } from "../events/event_schema.ts";
import { RecordBuffer } from "./record_buffer.ts";
import { Ticket } from "./ticket.ts";

export type FlushReason = "size" | "bytes" | "age" | "drain";

export class Lane {
  readonly schema: EventSchema;
  readonly #buffer: RecordBuffer;
  readonly #events = new Map<number, number>();
  #first_ns = 0;
  #oldest_ns = 0;

  constructor(schema: EventSchema, bytes: number) {
    this.schema = schema;
    this.#buffer = new RecordBuffer(bytes);
  }

  get count(): number {
    return this.#buffer.count;
  }

  get bytes(): number {
    return this.#buffer.usedBytes;
  }

  /** When the first of the gathered events came, by the clock of events. */
  get first_ns(): number {
    return this.#first_ns;
  }

  add(batch: RecordBatch, index: number, now_ns: number): void {
    const { header } = this.schema;
    const at = batch.offsets[index]!;
    const time_ns = header.timestamp_ns(batch.view, at);
    if (this.#buffer.count === 0) {
      this.#first_ns = now_ns;
      this.#oldest_ns = time_ns;
    }
    if (time_ns < this.#oldest_ns) this.#oldest_ns = time_ns;
    const key = slotOf(header.program, header.cpu, batch, at);
    this.#events.set(key, (this.#events.get(key) ?? 0) + 1);
    this.#buffer.add(batch, index);
  }

  /** The records, valid until the next `add`, and their ticket; the lane is empty then. */
  take(destinations: number): { readonly records: RecordBatch; readonly ticket: Ticket } {
    const records = this.#buffer.batch();
    const events = new Map(this.#events);
    const ticket = new Ticket(
      this.schema.collector.name,
      records.count,
      this.#oldest_ns,
      events,
      destinations,
    );
    this.#buffer.clear();
    this.#events.clear();
    return { records, ticket };
  }
}

function slotOf(
  program: NumberReader,
  cpu: NumberReader,
  { view }: RecordBatch,
  at: number,
): number {
  return (program(view, at) << 16) | cpu(view, at);
}
