import { describe, expect, it } from "vitest";
import { ByteWriter } from "#wasm/engines/aot/byte_writer.ts";

/** LEB128 as the WebAssembly specification writes it down, on integers without bounds. */
function signedLeb(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && byte < 0x40) || (rest === -1n && byte >= 0x40)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

function unsignedLeb(value: bigint): number[] {
  const byte = Number(value & 0x7fn);
  return value < 128n ? [byte] : [byte | 0x80, ...unsignedLeb(value >> 7n)];
}

const POWERS = Array.from({ length: 64 }, (_, bits) => 1n << BigInt(bits));
const INTEGERS = POWERS.flatMap((power) => [power - 1n, power, power + 1n, -power, -power - 1n]);
const within = (bits: number): bigint[] =>
  INTEGERS.filter((value) => BigInt.asIntN(bits, value) === value);

const written = (write: (writer: ByteWriter) => void): number[] => {
  const writer = new ByteWriter();
  write(writer);
  return [...writer.written];
};

describe("LEB128", () => {
  it("of unsigned 32-bit numbers, around every power of two", () => {
    for (const value of INTEGERS.filter((one) => BigInt.asUintN(32, one) === one)) {
      expect(written((to) => to.u32(Number(value)))).toEqual(unsignedLeb(value));
    }
  });

  it("of signed 32-bit numbers, around every power of two", () => {
    for (const value of within(32)) {
      expect(written((to) => to.s32(Number(value)))).toEqual(signedLeb(value));
    }
  });

  it("of signed 64-bit numbers in halves, around every power of two", () => {
    for (const value of within(64)) {
      const low = Number(BigInt.asIntN(32, value));
      const high = Number(BigInt.asIntN(32, value >> 32n));
      expect(written((to) => to.s64(low, high))).toEqual(signedLeb(value));
    }
  });
});

describe("ByteWriter", () => {
  it("grows, and keeps what it holds", () => {
    const bytes = written((to) => {
      for (let i = 0; i < 5000; i++) to.byte(i & 0xff);
      to.bytes(new Uint8Array(10_000).fill(7));
    });
    expect(bytes).toHaveLength(15_000);
    expect(bytes.slice(0, 5000)).toEqual(Array.from({ length: 5000 }, (_, i) => i & 0xff));
    expect(bytes.slice(5000).every((byte) => byte === 7)).toBe(true);
  });

  it("writes text and parts with their length", () => {
    const part = new ByteWriter();
    part.byte(9);
    expect(written((to) => to.text("é"))).toEqual([2, 0xc3, 0xa9]);
    expect(written((to) => to.sized(part))).toEqual([1, 9]);
  });
});
