import fc from "fast-check";
import { expect, it } from "vitest";
import { crc32c } from "#core/trace/crc32c.ts";

/** Bit by bit, as the polynomial is defined. */
function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

it("has the check value of CRC-32C", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
});

it("is 0 for no bytes, and the seed for none after it", () => {
  expect(crc32c(new Uint8Array(0))).toBe(0);
  expect(crc32c(new Uint8Array(0), 0, 0, 0xe3069283)).toBe(0xe3069283);
});

it("equals the bitwise definition on any part of any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), fc.nat(100), (bytes, a, b) => {
      const start = Math.min(a, b, bytes.length);
      const end = Math.min(Math.max(a, b), bytes.length);
      expect(crc32c(bytes, start, end)).toBe(bitwise(bytes.subarray(start, end)));
      const seed = crc32c(bytes, 0, start);
      expect(crc32c(bytes, start, bytes.length, seed)).toBe(bitwise(bytes));
    }),
  );
});
