/** A columnar file: the schema header, then blocks until the end. */
import type { RecordBatch } from "../../backend.ts";
import type { BlockCodec } from "./block_codec.ts";
import { ColumnarDecoder, readBlockHeader } from "./columnar_decoder.ts";
import type { RecordSchema } from "./record_schema.ts";
import { decodeSchemaHeader } from "./schema_header.ts";

export interface ColumnarFile {
  readonly schema: RecordSchema;
  /** Throws `ColumnarError` at the first damaged block, after all before it. */
  readonly batches: Iterable<RecordBatch>;
}

/** Throws `ColumnarError` where the header is damaged. `bytes` are read as long as batches are. */
export function readColumnarFile(bytes: Uint8Array, codecs: readonly BlockCodec[]): ColumnarFile {
  const { schema, length } = decodeSchemaHeader(bytes);
  const decoder = new ColumnarDecoder(schema, codecs);
  function* batches(): Generator<RecordBatch, void, undefined> {
    for (let at = length; at < bytes.length; ) {
      const header = readBlockHeader(bytes, at);
      yield decoder.decode(bytes, at);
      at += header.length;
    }
  }
  return { schema, batches: { [Symbol.iterator]: batches } };
}
