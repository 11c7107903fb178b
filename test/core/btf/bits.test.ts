import { describe, expect, it } from "vitest";
import { bitsReader, bitsWriter, signedBitsReader } from "#core/btf/bits.ts";
import { bitsAt, signedValue } from "#property-tests/models/btf_values.ts";

const PATTERNS = [
  [0x8f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69],
  [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x80, 0x01, 0x80, 0x01, 0x80, 0x01, 0x80],
];
const OFFSET = 1;
const BASE = 1;

/** Every place and width there is: 8 × 32. */
function eachPlace(check: (bitOffset: number, bits: number) => void): void {
  for (let bitOffset = 0; bitOffset < 8; bitOffset++) {
    for (let bits = 1; bits <= 32; bits++) check(bitOffset, bits);
  }
}

describe("readers of every place and width", () => {
  it.each(PATTERNS)("agree with a bit-by-bit reading of %i %i %i…", (...pattern) => {
    const bytes = Uint8Array.from(pattern);
    const view = new DataView(bytes.buffer);
    eachPlace((bitOffset, bits) => {
      const raw = bitsAt(bytes, 8 * (BASE + OFFSET) + bitOffset, bits);
      const where = `${bits} bits from bit ${bitOffset}`;
      expect(bitsReader(OFFSET, bitOffset, bits)(view, BASE), where).toBe(Number(raw));
      const signed = Number(signedValue(raw, bits, true));
      expect(signedBitsReader(OFFSET, bitOffset, bits)(view, BASE), where).toBe(signed);
    });
  });

  it("need no byte beyond the last bit", () => {
    eachPlace((bitOffset, bits) => {
      const view = new DataView(new ArrayBuffer(Math.ceil((bitOffset + bits) / 8)));
      expect(bitsReader(0, bitOffset, bits)(view, 0)).toBe(0);
      bitsWriter(0, bitOffset, bits)(view, 0, -1);
      expect(bitsReader(0, bitOffset, bits)(view, 0)).toBe(2 ** bits - 1);
    });
  });
});

describe("writers of every place and width", () => {
  it.each(PATTERNS)("change their own bits only in %i %i %i…", (...pattern) => {
    const before = Uint8Array.from(pattern);
    eachPlace((bitOffset, bits) => {
      const start = 8 * (BASE + OFFSET) + bitOffset;
      const end = start + bits;
      const rest = 8 * before.length - end;
      for (const value of [0, -1, 0xa5a5_5a5a]) {
        const bytes = before.slice();
        bitsWriter(OFFSET, bitOffset, bits)(new DataView(bytes.buffer), BASE, value);
        const where = `${value} into ${bits} bits from bit ${bitOffset}`;
        expect(bitsAt(bytes, start, bits), where).toBe(BigInt.asUintN(bits, BigInt(value)));
        expect(bitsAt(bytes, 0, start), where).toBe(bitsAt(before, 0, start));
        expect(bitsAt(bytes, end, rest), where).toBe(bitsAt(before, end, rest));
      }
    });
  });
});
