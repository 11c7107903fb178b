import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDecimal, parseHexadecimal, parseSigned, subtract } from "#cli/trace/numbers.ts";

const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n),
);

function parse(parser: typeof parseDecimal, text: string): bigint | null {
  const bytes = new TextEncoder().encode(`<${text}>`);
  const out = { high: 0, low: 0 };
  if (!parser(bytes, 1, bytes.length - 1, out)) return null;
  return (BigInt(out.high) << 32n) | BigInt(out.low);
}

const halves = (value: bigint) => ({
  high: Number(value >> 32n),
  low: Number(value & 0xffffffffn),
});

describe("numbers of 64 bits", () => {
  it("are what BigInt makes of the text", () => {
    fc.assert(
      fc.property(u64, (value) => {
        expect(parse(parseDecimal, String(value))).toBe(value);
        expect(parse(parseHexadecimal, value.toString(16))).toBe(value);
        const signed = BigInt.asIntN(64, value);
        expect(parse(parseSigned, String(signed))).toBe(value);
      }),
    );
  });

  it("are subtracted as BigInt subtracts, and not below 0", () => {
    fc.assert(
      fc.property(u64, u64, (a, b) => {
        const from = halves(a);
        expect(subtract(from, halves(b))).toBe(a >= b);
        expect(from).toEqual(halves(a >= b ? a - b : a));
      }),
    );
  });

  it.each(["", "18446744073709551616", "99999999999999999999999", "01", "-1", "+1", "1 ", "1.0"])(
    "%j is no decimal u64",
    (text) => {
      expect(parse(parseDecimal, text)).toBeNull();
    },
  );

  it.each(["", "-", "-0", "--1", "9223372036854775808", "-9223372036854775809", "1e3"])(
    "%j is no s64",
    (text) => {
      expect(parse(parseSigned, text)).toBeNull();
    },
  );

  it.each(["", "g", "-1", "0x1", "A", "10000000000000000", "/", ":", "`"])(
    "%j is no lower-case hexadecimal u64",
    (text) => {
      expect(parse(parseHexadecimal, text)).toBeNull();
    },
  );
});
