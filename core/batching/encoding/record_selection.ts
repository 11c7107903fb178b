/** Which records of a batch are events of the collector, and of which struct. */
import type { RecordBatch } from "../../backend.ts";
import { headerField, type RecordSchema } from "./record_schema.ts";

/** Where records begin in the batch's buffer; reused by the next batch. */
export interface Rows {
  starts: Uint32Array;
  count: number;
}

export class RecordSelection {
  readonly all: Rows = { starts: new Uint32Array(0), count: 0 };
  /** By index of the schema's struct, in the order of the batch. */
  readonly ofStruct: readonly Rows[];
  /** Of each record: its struct's size, and the bytes that it has beyond. */
  sizes = new Uint32Array(0);
  tails = new Uint32Array(0);
  /** Of each record: its type's index in the schema. */
  types = new Uint16Array(0);
  tailBytes = 0;
  rawBytes = 0;
  malformed = 0;
  readonly #schema: RecordSchema;
  readonly #typeOffset: number;
  /** Index of the type plus one by the header's number. */
  readonly #typeOf = new Uint16Array(1 << 16);
  /** Of each type by its index: its struct's index and size. */
  readonly #structOf: Uint16Array;
  readonly #sizeOf: Uint32Array;

  constructor(schema: RecordSchema) {
    this.#schema = schema;
    this.#typeOffset = headerField(schema, "type").offset;
    schema.types.forEach(({ number }, index) => {
      this.#typeOf[number] = index + 1;
    });
    this.#structOf = Uint16Array.from(schema.types, ({ struct }) => struct);
    this.#sizeOf = Uint32Array.from(schema.types, ({ struct }) => schema.structs[struct]!.size);
    this.ofStruct = schema.structs.map(() => ({ starts: new Uint32Array(0), count: 0 }));
  }

  /** Events in the selection. */
  get count(): number {
    return this.all.count;
  }

  #reserve(count: number): void {
    if (this.sizes.length >= count) return;
    const capacity = Math.max(256, 2 ** Math.ceil(Math.log2(count)));
    this.sizes = new Uint32Array(capacity);
    this.tails = new Uint32Array(capacity);
    this.types = new Uint16Array(capacity);
    this.all.starts = new Uint32Array(capacity);
    for (const rows of this.ofStruct) rows.starts = new Uint32Array(capacity);
  }

  select(batch: RecordBatch): void {
    const { buffer, offsets, lengths } = batch;
    this.#reserve(batch.count);
    this.all.count = 0;
    this.tailBytes = 0;
    this.rawBytes = 0;
    for (const rows of this.ofStruct) rows.count = 0;
    for (let i = 0; i < batch.count; i++) {
      const start = offsets[i]!;
      const length = lengths[i]!;
      if (length < this.#schema.header.size) continue;
      const at = start + this.#typeOffset;
      const index = this.#typeOf[buffer[at]! | (buffer[at + 1]! << 8)]! - 1;
      if (index < 0) continue;
      const size = this.#sizeOf[index]!;
      if (length < size) continue;
      const row = this.all.count++;
      const rows = this.ofStruct[this.#structOf[index]!]!;
      this.all.starts[row] = start;
      rows.starts[rows.count++] = start;
      this.sizes[row] = size;
      this.types[row] = index;
      this.tails[row] = length - size;
      this.tailBytes += length - size;
      this.rawBytes += length;
    }
    this.malformed = batch.count - this.all.count;
  }
}
