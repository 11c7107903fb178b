/** The start of every columnar file: magic, version and the record schema, closed by a CRC-32C. */
import { z } from "zod";
import { BpfError } from "../../errors.ts";
import { crc32c } from "../../trace/crc32c.ts";
import type { RecordSchema } from "./record_schema.ts";

/** `TAPIOCOL` */
const MAGIC = Uint8Array.of(0x54, 0x41, 0x50, 0x49, 0x4f, 0x43, 0x4f, 0x4c);
export const COLUMNAR_VERSION = 1;
const FIXED_BYTES = 16;
const CRC_BYTES = 4;
const SCHEMA_BYTES_MAX = 1 << 20;
const RECORD_BYTES_MAX = 1 << 16;

const size = z.int().min(1).max(RECORD_BYTES_MAX);
const structSchema = z.strictObject({
  name: z.string(),
  size,
  fields: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        offset: z.int().min(0).max(RECORD_BYTES_MAX),
        size,
        form: z.enum(["unsigned", "signed", "float", "text", "bytes"]),
      }),
    )
    .max(4096),
});
const recordSchema = z.strictObject({
  collector: z.string().min(1).max(256),
  header: structSchema,
  structs: z.array(structSchema).min(1).max(256),
  types: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        number: z.int().min(0).max(0xffff),
        struct: z.int().min(0),
      }),
    )
    .min(1)
    .max(4096),
});

export class ColumnarError extends BpfError {
  constructor(problem: string, hint = "the file is damaged or of another format") {
    super("read columnar batches", problem, { hint });
    this.name = "ColumnarError";
  }
}

export function encodeSchemaHeader(schema: RecordSchema): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(schema));
  const bytes = new Uint8Array(FIXED_BYTES + json.length + CRC_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(8, COLUMNAR_VERSION, true);
  view.setUint32(12, json.length, true);
  bytes.set(json, FIXED_BYTES);
  const end = FIXED_BYTES + json.length;
  view.setUint32(end, crc32c(bytes, 0, end), true);
  return bytes;
}

function isInside(schema: RecordSchema): boolean {
  const from = schema.header.size;
  const ordered = (struct: RecordSchema["header"], start: number): boolean => {
    let end = start;
    for (const field of struct.fields) {
      if (field.offset < end) return false;
      end = field.offset + field.size;
    }
    return end <= struct.size;
  };
  return (
    ordered(schema.header, 0) &&
    schema.structs.every((struct) => struct.size >= from && ordered(struct, from)) &&
    schema.types.every(({ struct }) => struct < schema.structs.length)
  );
}

/** The schema and the header's length in bytes. Throws `ColumnarError` for anything else. */
export function decodeSchemaHeader(bytes: Uint8Array): {
  readonly schema: RecordSchema;
  readonly length: number;
} {
  if (bytes.length < FIXED_BYTES) throw new ColumnarError("ends within its header");
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw new ColumnarError("no columnar file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = view.getUint16(8, true);
  if (version !== COLUMNAR_VERSION) {
    throw new ColumnarError(`format version ${version}`, "read it with a newer tapio-bpf");
  }
  const length = view.getUint32(12, true);
  const end = FIXED_BYTES + length;
  if (length > SCHEMA_BYTES_MAX) throw new ColumnarError(`a schema of ${length} bytes`);
  if (bytes.length < end + CRC_BYTES) throw new ColumnarError("ends within its schema");
  if (view.getUint32(end, true) !== crc32c(bytes, 0, end)) {
    throw new ColumnarError("the header's checksum is wrong");
  }
  const text = new TextDecoder().decode(bytes.subarray(FIXED_BYTES, end));
  const parsed = recordSchema.safeParse(JSON.parse(text));
  if (!parsed.success || !isInside(parsed.data)) {
    throw new ColumnarError("the header describes no records");
  }
  return { schema: parsed.data, length: end + CRC_BYTES };
}
