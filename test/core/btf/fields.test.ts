import { describe, expect, it } from "vitest";
import {
  bytesField,
  fieldReader,
  fieldReaderPair,
  fieldWriter,
  fieldWriterPair,
} from "#core/btf/fields.ts";
import { layoutOf } from "#core/btf/layout.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { findType } from "#core/btf/queries.ts";
import { BpfError } from "#core/errors.ts";
import { compileBpf } from "./compile.ts";

/** The compiler fills the instance: what it wrote is what a reader must find. */
const object = compileBpf(`
enum level { LOW = 1, HIGH = 200 };
struct __attribute__((packed)) mixed {
  unsigned char byte; signed char small; unsigned short half; short minus;
  unsigned int word; int negative; unsigned long long big; long long deep;
  enum level level; float ratio; double precise; _Bool flag; void *pointer;
  unsigned int a : 3, b : 13; int c : 5; unsigned int d : 27;
  unsigned long long e : 37; long long f : 41; long long g : 33; unsigned long long h : 63;
  __int128 wide; unsigned char address[16];
};
struct mixed mixed __attribute__((section(".instance"))) = {
  .byte = 0xfe, .small = -2, .half = 0xfedc, .minus = -1234, .word = 0xfedcba98,
  .negative = -123456789, .big = 0x001fffffffffffff, .deep = -0x123456789abcd, .level = HIGH,
  .ratio = 0.5, .precise = -1.0 / 3, .flag = 1, .pointer = (void *)0x1000200030004000,
  .a = 5, .b = 0x1abc, .c = -7, .d = 0x5a5a5a5, .e = 0x1234567890, .f = -0x8123456789,
  .g = -1, .h = 0x7edcba9876540000,
  .wide = -1, .address = {0x20, 0x01, 0x0d, 0xb8},
};`);
const btf = parseBtf(object.section(".BTF"));
const layout = layoutOf(btf, findType(btf, "mixed", "struct")!);
const instance = object.section(".instance").slice();

const EXPECTED: readonly (readonly [string, number])[] = [
  ["byte", 0xfe],
  ["small", -2],
  ["half", 0xfedc],
  ["minus", -1234],
  ["word", 0xfedcba98],
  ["negative", -123456789],
  ["big", Number.MAX_SAFE_INTEGER],
  ["deep", -0x123456789abcd],
  ["level", 200],
  ["ratio", 0.5],
  ["precise", -1 / 3],
  ["flag", 1],
  ["pointer", 0x1000200030004000],
  ["a", 5],
  ["b", 0x1abc],
  ["c", -7],
  ["d", 0x5a5a5a5],
  ["e", 0x1234567890],
  ["f", -0x8123456789],
  ["g", -1],
  ["h", 0x7edcba9876540000],
  ["address[3]", 0xb8],
];

/** The instance at a base that aligns nothing, between bytes that must stay as they are. */
function placed(): { view: DataView; base: number; bytes: Uint8Array } {
  const base = 13;
  const bytes = new Uint8Array(instance.length + 2 * base).fill(0xa5);
  bytes.set(instance, base);
  return { view: new DataView(bytes.buffer), base, bytes };
}

describe("fieldReader", () => {
  it.each(EXPECTED)("reads %s as the compiler wrote it", (path, value) => {
    const { view, base } = placed();
    expect(fieldReader(layout, path)(view, base)).toBe(value);
  });

  it("touches no byte outside the field", () => {
    const view = new DataView(instance.buffer);
    const last = fieldReader(layout, "address[15]");
    expect(last(view, 0)).toBe(0);
    expect(() => last(view, 1)).toThrow(RangeError);
  });

  it.each([
    ["address", /"address" of struct mixed .* is a array; name a member or element/],
    ["", /"" of struct mixed .* is a struct/],
    ["wide", /is a int of 128 bits; use bytesField/],
  ])("refuses %j", (path, message) => {
    expect(() => fieldReader(layout, path)).toThrow(BpfError);
    expect(() => fieldReader(layout, path)).toThrow(message);
  });
});

describe("fieldReaderPair", () => {
  const read = (path: string): bigint => {
    const { view, base } = placed();
    const { low, high } = fieldReaderPair(layout, path);
    return (BigInt(high(view, base)) << 32n) | BigInt(low(view, base));
  };

  it.each([
    ["byte", 0xfen],
    ["small", 0xfffffffffffffffen],
    ["negative", BigInt.asUintN(64, -123456789n)],
    ["word", 0xfedcba98n],
    ["pointer", 0x1000200030004000n],
    ["deep", BigInt.asUintN(64, -0x123456789abcdn)],
    ["c", BigInt.asUintN(64, -7n)],
    ["e", 0x1234567890n],
    ["f", BigInt.asUintN(64, -0x8123456789n)],
    ["g", 0xffffffffffffffffn],
    ["h", 0x7edcba9876540000n],
  ])("reads %s exactly, in two's complement", (path, value) => {
    expect(read(path)).toBe(value);
  });

  it("refuses a float", () => {
    expect(() => fieldReaderPair(layout, "ratio")).toThrow(/is a float; use fieldReader/);
  });
});

describe("fieldWriter", () => {
  it.each(EXPECTED)("writes %s as the compiler did, and nothing else", (path, value) => {
    const { view, base, bytes } = placed();
    const before = bytes.slice();
    const write = fieldWriter(layout, path);
    write(view, base, 0);
    expect(fieldReader(layout, path)(view, base)).toBe(0);
    write(view, base, value);
    expect(bytes).toEqual(before);
  });

  it("cuts a value to the field's width, as C does", () => {
    const { view, base } = placed();
    fieldWriter(layout, "byte")(view, base, 0x1ff);
    fieldWriter(layout, "b")(view, base, -1);
    fieldWriter(layout, "e")(view, base, 2 ** 40 + 3);
    expect(fieldReader(layout, "byte")(view, base)).toBe(0xff);
    expect(fieldReader(layout, "a")(view, base)).toBe(5);
    expect(fieldReader(layout, "b")(view, base)).toBe(0x1fff);
    expect(fieldReader(layout, "c")(view, base)).toBe(-7);
    expect(fieldReader(layout, "e")(view, base)).toBe(3);
  });

  it("writes a negative number to both halves of a 64-bit field", () => {
    const { view, base } = placed();
    fieldWriter(layout, "deep")(view, base, -5);
    expect(fieldReader(layout, "deep")(view, base)).toBe(-5);
  });
});

describe("fieldWriterPair", () => {
  it("writes all 64 bits exactly", () => {
    const { view, base } = placed();
    const { low, high } = fieldWriterPair(layout, "big");
    low(view, base, 0xfedcba98);
    high(view, base, 0x76543210);
    const read = fieldReaderPair(layout, "big");
    expect([read.low(view, base), read.high(view, base)]).toEqual([0xfedcba98, 0x76543210]);
  });

  it("ignores the high half of a narrow field", () => {
    const { view, base, bytes } = placed();
    const before = bytes.slice();
    fieldWriterPair(layout, "word").high(view, base, 0);
    expect(bytes).toEqual(before);
  });
});

describe("bytesField", () => {
  it("says where an array lies", () => {
    const { offset, length } = bytesField(layout, "address");
    expect(length).toBe(16);
    expect([...instance.subarray(offset, offset + 4)]).toEqual([0x20, 0x01, 0x0d, 0xb8]);
  });

  it("gives the whole struct for the empty path", () => {
    expect(bytesField(layout, "")).toEqual({ offset: 0, length: instance.length });
  });

  it("refuses a bit field", () => {
    expect(() => bytesField(layout, "a")).toThrow(/is a bit field; use fieldReader/);
  });
});
