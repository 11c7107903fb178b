import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { zstdCodec } from "#cli/batching/zstd_codec.ts";
import { type BlockCodec, STORED } from "#core/batching/encoding/block_codec.ts";
import { ColumnarDecoder } from "#core/batching/encoding/columnar_decoder.ts";
import { ColumnarEncoder } from "#core/batching/encoding/columnar_encoder.ts";
import { readColumnarFile } from "#core/batching/encoding/columnar_file.ts";
import { ColumnarError, decodeSchemaHeader } from "#core/batching/encoding/schema_header.ts";
import {
  malformedRecord,
  recordsOf,
  ringBatch,
  ringRecord,
  SMALL_SCHEMA,
} from "../arbitraries/ring_records.ts";
import { checkProperty } from "../property.ts";

const CODECS: readonly (readonly [string, BlockCodec])[] = [
  ["stored", STORED],
  ["zstd", zstdCodec()],
];

const record = ringRecord(SMALL_SCHEMA);
const batches = fc.array(
  fc.array(
    fc.record({
      bytes: fc.oneof({ weight: 12, arbitrary: record }, malformedRecord(SMALL_SCHEMA)),
      times: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 40 })),
    }),
    { maxLength: 60 },
  ),
  { maxLength: 4 },
);

function isEvent(bytes: Uint8Array): boolean {
  const type = (bytes[8] ?? 0) | ((bytes[9] ?? 0) << 8);
  const known = SMALL_SCHEMA.types.find(({ number }) => number === type);
  return known !== undefined && bytes.length >= SMALL_SCHEMA.structs[known.struct]!.size;
}

describe.each(CODECS)("columnar blocks (%s)", (_, codec) => {
  it("decode to the records that they were made of, byte for byte", () => {
    checkProperty(
      "columnar round trip",
      fc.property(batches, (drawn) => {
        const encoder = new ColumnarEncoder(SMALL_SCHEMA, codec);
        const file: Uint8Array[] = [encoder.schemaHeader];
        const expected: Uint8Array[][] = [];
        for (const batch of drawn) {
          const records = batch.flatMap(({ bytes, times }) => Array(times).fill(bytes));
          const events = records.filter(isEvent);
          const encoded = encoder.encode(ringBatch(records));
          expect(encoded.count).toBe(events.length);
          expect(encoded.malformed).toBe(records.length - events.length);
          expect(encoded.rawBytes).toBe(events.reduce((sum, { length }) => sum + length, 0));
          file.push(encoded.bytes);
          expected.push(events);
        }
        const read = readColumnarFile(Buffer.concat(file), [codec]);
        expect(read.schema).toEqual(SMALL_SCHEMA);
        expect([...read.batches].map(recordsOf)).toEqual(expected);
      }),
    );
  });

  const encoder = new ColumnarEncoder(SMALL_SCHEMA, codec);
  const records = fc.sample(record, { numRuns: 30, seed: 1 });
  const { bytes } = encoder.encode(ringBatch(records));
  const decoder = new ColumnarDecoder(SMALL_SCHEMA, [codec]);

  it("are refused wherever they are cut", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decoder.decode(bytes.slice(0, length)), `${length}`).toThrow(ColumnarError);
    }
  });

  it("are refused whichever bit is flipped", () => {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decoder.decode(damaged), `bit ${bit}`).toThrow(ColumnarError);
    }
  });
});

describe("schema headers", () => {
  const { schemaHeader } = new ColumnarEncoder(SMALL_SCHEMA, STORED);

  it("are refused wherever they are cut, and whichever bit is flipped", () => {
    for (let length = 0; length < schemaHeader.length; length++) {
      const cut = schemaHeader.slice(0, length);
      expect(() => decodeSchemaHeader(cut), `${length}`).toThrow(ColumnarError);
    }
    for (let bit = 0; bit < 8 * schemaHeader.length; bit++) {
      const damaged = schemaHeader.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeSchemaHeader(damaged), `bit ${bit}`).toThrow(ColumnarError);
    }
  });
});

describe("blocks with right checksums and wrong contents", () => {
  it("are decoded or refused", () => {
    checkProperty(
      "columnar blocks that were resealed",
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 20 }),
        fc.nat(),
        fc.nat(255),
        (drawn, at, byte) => {
          const { bytes } = new ColumnarEncoder(SMALL_SCHEMA, STORED).encode(ringBatch(drawn));
          const decoder = new ColumnarDecoder(SMALL_SCHEMA, [resealing(bytes, at, byte)]);
          try {
            decoder.decode(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(ColumnarError);
          }
        },
      ),
    );
  });
});

/** Changes one byte after the checksum was found right, as a writer with a defect would. */
function resealing(bytes: Uint8Array, at: number, byte: number): BlockCodec {
  return {
    ...STORED,
    decompress: (packed) => {
      const changed = packed.slice();
      changed[at % Math.max(1, Math.min(packed.length, bytes.length))] = byte;
      return changed;
    },
  };
}
