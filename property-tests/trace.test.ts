import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compressBlock, decompressBlock } from "#cli/zstd.ts";
import { TraceError } from "#core/trace/error.ts";
import { plainTrace, readPlain, SMALL_TRACE, writePlain } from "./arbitraries/traces.ts";
import { checkAsyncProperty } from "./property.ts";

/** Cuts bytes into chunks whose lengths cycle through `lengths` (0 allowed). */
function* chunked(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths.length === 0 ? bytes.length : lengths[i % lengths.length]!;
    yield bytes.slice(at, at + length);
    at += length;
  }
}

const chunkLengths = fc
  .array(fc.nat(200), { maxLength: 5 })
  .filter((lengths) => lengths.length === 0 || lengths.some((length) => length > 0));

describe("trace round trip", () => {
  it.each([
    ["stored", undefined, undefined],
    ["zstd", compressBlock, decompressBlock],
  ] as const)(
    "yields what was written, however the stream is cut (%s)",
    async (_, pack, unpack) => {
      await checkAsyncProperty(
        "trace round trip",
        fc.asyncProperty(plainTrace, chunkLengths, async (trace, lengths) => {
          const { bytes, totals } = writePlain(trace, pack);
          const read = await readPlain(chunked(bytes, lengths), unpack);
          expect(read.error).toBeUndefined();
          expect(read.schema).toEqual(trace.schema);
          expect(read.items).toEqual(trace.items);
          expect(read.totals).toEqual(totals);
          expect(read.slotsUsed).toBeLessThanOrEqual(trace.taskSlots);
          const events = trace.items.filter((item) => item.kind === "event");
          expect(totals.records).toBe(events.length);
          expect(totals.first_ns).toBe(events[0]?.time_ns ?? 0n);
          expect(totals.last_ns).toBe(events.at(-1)?.time_ns ?? 0n);
        }),
      );
    },
  );
});

describe.each([
  ["stored", undefined, undefined],
  ["zstd", compressBlock, decompressBlock],
] as const)("damage to a small trace (%s)", (_, pack, unpack) => {
  const { bytes } = writePlain(SMALL_TRACE, pack);

  it("is found wherever the trace is cut, and what was yielded before is right", async () => {
    for (let length = 0; length < bytes.length; length++) {
      const read = await readPlain([bytes.slice(0, length)], unpack);
      expect(read.error, `cut to ${length} bytes`).toBeInstanceOf(TraceError);
      expect(read.error).toMatchObject({ reason: "truncated", offset: length });
      expect(read.items).toEqual(SMALL_TRACE.items.slice(0, read.items.length));
    }
  });

  it("is found whichever bit is flipped, and what was yielded before is right", async () => {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const read = await readPlain([damaged], unpack);
      expect(read.error, `flipped bit ${bit}`).toBeInstanceOf(TraceError);
      expect(read.totals).toBeUndefined();
      expect(read.items).toEqual(SMALL_TRACE.items.slice(0, read.items.length));
    }
  });

  it("is found in whichever place a byte is missing or inserted", async () => {
    for (let at = 0; at < bytes.length; at++) {
      const head = bytes.slice(0, at);
      const shorter = await readPlain([head, bytes.slice(at + 1)], unpack);
      expect(shorter.error, `without byte ${at}`).toBeInstanceOf(TraceError);
      const longer = await readPlain([head, Uint8Array.of(0), bytes.slice(at)], unpack);
      expect(longer.error, `with a byte at ${at}`).toBeInstanceOf(TraceError);
    }
  });
});

describe("arbitrary bytes", () => {
  it("end in a TraceError, after a good header too", async () => {
    const { bytes } = writePlain(SMALL_TRACE);
    await checkAsyncProperty(
      "trace followed by junk",
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.uint8Array(), async (keep, junk) => {
        const read = await readPlain([bytes.slice(0, keep), junk], decompressBlock);
        const whole = keep + junk.length === bytes.length && read.error === undefined;
        if (!whole) expect(read.error).toBeInstanceOf(TraceError);
        else expect(read.items).toEqual(SMALL_TRACE.items);
      }),
    );
  });
});
