/** Batches of ring records, real events and nonsense, for encoders. */
import fc from "fast-check";
import type { RecordBatch } from "#core/backend.ts";
import type { RecordSchema } from "#core/batching/encoding/record_schema.ts";

/** Two structs, one with padding, a field of odd size and keys that contexts are made of. */
export const SMALL_SCHEMA: RecordSchema = {
  collector: "small",
  header: {
    name: "event_header",
    size: 32,
    fields: [
      { name: "timestamp_ns", offset: 0, size: 8, form: "unsigned" },
      { name: "type", offset: 8, size: 2, form: "unsigned" },
      { name: "cpu", offset: 10, size: 2, form: "unsigned" },
      { name: "program", offset: 12, size: 2, form: "unsigned" },
      { name: "tid", offset: 16, size: 4, form: "unsigned" },
      { name: "command", offset: 20, size: 11, form: "text" },
    ],
  },
  structs: [
    {
      name: "first",
      size: 52,
      fields: [
        { name: "socket", offset: 32, size: 8, form: "unsigned" },
        { name: "delta", offset: 40, size: 4, form: "signed" },
        { name: "odd", offset: 45, size: 3, form: "bytes" },
      ],
    },
    { name: "second", size: 33, fields: [{ name: "state", offset: 32, size: 1, form: "signed" }] },
  ],
  types: [
    { name: "one", number: 1, struct: 0 },
    { name: "two", number: 7, struct: 1 },
    { name: "three", number: 300, struct: 0 },
  ],
};

/** Records one after the other, with gaps in between as in a ring. */
export function ringBatch(records: readonly Uint8Array[]): RecordBatch {
  const offsets: number[] = [];
  let end = 8;
  for (const { length } of records) {
    offsets.push(end);
    end += (length + 15) & ~7;
  }
  const buffer = new Uint8Array(end);
  for (const [i, record] of records.entries()) buffer.set(record, offsets[i]);
  return {
    buffer,
    view: new DataView(buffer.buffer),
    offsets: Uint32Array.from(offsets),
    lengths: Uint32Array.from(records, ({ length }) => length),
    count: records.length,
  };
}

export function recordsOf({ buffer, offsets, lengths, count }: RecordBatch): Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    buffer.slice(offsets[i]!, offsets[i]! + lengths[i]!),
  );
}

/** A value of `size` bytes: mostly few different ones, sometimes near the one before, sometimes any. */
function valueBytes(size: number): fc.Arbitrary<Uint8Array> {
  const near = fc.nat(300).map((value) => {
    const bytes = new Uint8Array(size);
    bytes[0] = value;
    if (size > 1) bytes[1] = value >> 8;
    return bytes;
  });
  const edge = fc.constantFrom(0, 0x7f, 0x80, 0xff).map((byte) => new Uint8Array(size).fill(byte));
  return fc.oneof(near, edge, fc.uint8Array({ minLength: size, maxLength: size }));
}

/** One record of a schema: each value drawn on its own, padding too, a tail now and then. */
export function ringRecord(schema: RecordSchema): fc.Arbitrary<Uint8Array> {
  const typeAt = schema.header.fields.find(({ name }) => name === "type")!.offset;
  return fc.constantFrom(...schema.types).chain(({ number, struct }) => {
    const { size, fields } = schema.structs[struct]!;
    const all = [...schema.header.fields, ...fields];
    const padding = fc.oneof(fc.constant(0), fc.nat(255));
    const tail = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(9));
    return fc
      .tuple(padding, tail, ...all.map((field) => valueBytes(field.size)))
      .map(([fill, extra, ...values]) => {
        const record = new Uint8Array(size + extra).fill(fill);
        all.forEach((field, i) => {
          record.set(values[i]!, field.offset);
        });
        record[typeAt] = number & 0xff;
        record[typeAt + 1] = number >> 8;
        return record;
      });
  });
}

/** What is no event of the schema: too short, or of a type that it does not name. */
export function malformedRecord(schema: RecordSchema): fc.Arbitrary<Uint8Array> {
  const short = fc.uint8Array({ maxLength: schema.header.size - 1 });
  const unknown = fc
    .nat(64)
    .map((length) => new Uint8Array(schema.header.size + length).fill(0xee));
  return fc.oneof(short, unknown);
}
