/**
 * Bytes saved by each encoding and codec, on the events of a real recording, in batches of 20, 100
 * and 1,000. What the columnar encoder writes is decoded again and compared byte for byte.
 */
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import type { RecordBatch } from "#core/backend.ts";
import { STORED } from "#core/batching/encoding/block_codec.ts";
import { ColumnarDecoder } from "#core/batching/encoding/columnar_decoder.ts";
import { ColumnarEncoder } from "#core/batching/encoding/columnar_encoder.ts";
import { NdjsonEncoder } from "#core/batching/encoding/ndjson_encoder.ts";
import { OtlpLogsEncoder } from "#core/batching/encoding/otlp_encoder.ts";
import type { EncodedRecords, RecordEncoder } from "#core/batching/encoding/record_encoder.ts";
import type { RecordSchema } from "#core/batching/encoding/record_schema.ts";
import { zstdCodec } from "../cli/batching/zstd_codec.ts";
import { type Bench, machine } from "./bench.ts";
import {
  type RecordedEvents,
  recordedEvents,
  SAMPLE_TRACE,
  sliceBatch,
} from "./recorded_batches.ts";

const EVENTS_PER_BATCH = [20, 100, 1000] as const;

type Encode = (batch: RecordBatch) => EncodedRecords;

/** Ring records as they are, compressed. */
function packed(compress: (bytes: Uint8Array) => Uint8Array): (schema: RecordSchema) => Encode {
  return () => (batch) => {
    const start = batch.offsets[0]!;
    const last = batch.count - 1;
    const raw = batch.buffer.subarray(start, batch.offsets[last]! + batch.lengths[last]!);
    const bytes = compress(raw);
    return { bytes, count: batch.count, rawBytes: raw.length, malformed: 0 };
  };
}

function zstd(level: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) =>
    zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

function columnar(codec = zstdCodec()): (schema: RecordSchema) => Encode {
  return (schema) => {
    const encoder = new ColumnarEncoder(schema, codec);
    const decoder = new ColumnarDecoder(schema, [codec]);
    return (batch) => {
      const encoded = encoder.encode(batch);
      requireEqual(batch, decoder.decode(encoded.bytes));
      return encoded;
    };
  };
}

/** Throws at the first record that differs. */
function requireEqual(expected: RecordBatch, actual: RecordBatch): void {
  if (actual.count !== expected.count) throw new Error("decoded another number of records");
  for (let i = 0; i < expected.count; i++) {
    const length = expected.lengths[i]!;
    const left = Buffer.from(expected.buffer.buffer, expected.offsets[i]!, length);
    const right = Buffer.from(actual.buffer.buffer, actual.offsets[i]!, actual.lengths[i]!);
    if (!left.equals(right)) throw new Error(`record ${i} was decoded to other bytes`);
  }
}

/** What OTLP and NDJSON take over the wire, beside the same ring records. */
function text(
  encoderOf: (schema: RecordSchema) => RecordEncoder,
  compress: (bytes: Uint8Array) => Uint8Array,
): (schema: RecordSchema) => Encode {
  return (schema) => {
    const encoder = encoderOf(schema);
    return (batch) => {
      const encoded = encoder.encode(batch);
      return { ...encoded, bytes: compress(encoded.bytes) };
    };
  };
}

const otlp = (schema: RecordSchema): RecordEncoder =>
  new OtlpLogsEncoder(schema, { resource: {}, unixOffset_ns: () => 0n });
const ndjson = (schema: RecordSchema): RecordEncoder => new NdjsonEncoder(schema);

const CODECS: Readonly<Record<string, (schema: RecordSchema) => Encode>> = {
  gzip_1: packed((bytes) => gzipSync(bytes, { level: 1 })),
  zstd_3: packed(zstd(3)),
  columnar: columnar(STORED),
  columnar_zstd_1: columnar(zstdCodec(1)),
  columnar_zstd_3: columnar(zstdCodec(3)),
  otlp_gzip_6: text(otlp, (bytes) => gzipSync(bytes)),
  otlp_zstd_3: text(otlp, zstd(3)),
  ndjson_zstd_3: text(ndjson, zstd(3)),
};

function saved(
  recorded: readonly RecordedEvents[],
  encoderOf: (schema: RecordSchema) => Encode,
  size: number,
): number {
  let before = 0;
  let after = 0;
  for (const { schema, all } of recorded) {
    const encode = encoderOf(schema);
    for (let first = 0; first < all.count; first += size) {
      const { bytes, rawBytes } = encode(sliceBatch(all, first, size));
      before += rawBytes;
      after += bytes.length;
    }
  }
  return 1 - after / before;
}

export const compressionBench: Bench = {
  rounds: 1,
  async run({ trace = SAMPLE_TRACE }) {
    const recorded = await recordedEvents(trace);
    const results: Record<string, unknown> = {};
    for (const [name, encoderOf] of Object.entries(CODECS)) {
      const fractions = EVENTS_PER_BATCH.map((size) => [
        `saved_${size}`,
        saved(recorded, encoderOf, size),
      ]);
      results[name] = Object.fromEntries(fractions);
    }
    return {
      bench: "compression",
      ...results,
      events: Object.fromEntries(recorded.map(({ schema, all }) => [schema.collector, all.count])),
      method:
        "1 - encoded bytes / bytes of the ring records, block headers and checksums included, the " +
        "schema header (once a file) not; the events of a recording, replayed without filters and " +
        "sampling, cut into batches of each size by collector; every columnar block is decoded and compared",
      machine: machine(),
    };
  },
};
