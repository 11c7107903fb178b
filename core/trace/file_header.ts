/** The start of every trace: the file header and the schema. */

import type { ByteSource } from "./byte_source.ts";
import { crc32c } from "./crc32c.ts";
import { TraceError } from "./error.ts";
import { FILE_HEADER, LIMITS, MAGIC, VERSION } from "./format.ts";
import { parseTraceSchema, type TraceSchema } from "./schema.ts";

/** Reads up to the first block. Throws `TraceError`; errors of the source pass through. */
export async function readFileHeader(source: ByteSource): Promise<TraceSchema> {
  const header = new Uint8Array(FILE_HEADER.size);
  const view = new DataView(header.buffer);
  const length = await source.readInto(header, header.length);
  const magicFound = header.subarray(0, Math.min(length, MAGIC.length));
  if (!magicFound.every((byte, index) => byte === MAGIC[index])) {
    throw new TraceError("corrupt", 0, "this is not a trace", "make one with `trace import`");
  }
  if (length < header.length) {
    throw new TraceError("truncated", length, "the trace ends within its header");
  }
  const version = view.getUint16(FILE_HEADER.version, true);
  if (version !== VERSION) {
    const hint = version > VERSION ? "update tapio-bpf" : "record or import it again";
    const problem = `the trace has format version ${version}, this reads version ${VERSION}`;
    throw new TraceError("version", FILE_HEADER.version, problem, hint);
  }
  const jsonLength = view.getUint32(FILE_HEADER.schemaLength, true);
  if (jsonLength > LIMITS.schemaBytes) {
    const problem = `the schema is longer than ${LIMITS.schemaBytes} bytes`;
    throw new TraceError("limit", FILE_HEADER.schemaLength, problem);
  }
  const json = new Uint8Array(jsonLength);
  if ((await source.readInto(json, jsonLength)) < jsonLength) {
    throw new TraceError("truncated", source.offset, "the trace ends within its header");
  }
  const crc = crc32c(json, 0, jsonLength, crc32c(header, 0, FILE_HEADER.crc));
  if (crc !== view.getUint32(FILE_HEADER.crc, true)) {
    throw new TraceError("corrupt", 0, "the header's checksum does not match");
  }
  if (view.getUint16(FILE_HEADER.reserved, true) !== 0) {
    throw new TraceError("corrupt", FILE_HEADER.reserved, "the header has unknown flags");
  }
  return parseTraceSchema(json, FILE_HEADER.size);
}
