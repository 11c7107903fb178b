import { describe, expect, it } from "vitest";
import type { BtfKind } from "#core/btf/btf.ts";
import { createCodec } from "#core/btf/codec.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { findType } from "#core/btf/queries.ts";
import { BpfError } from "#core/errors.ts";
import { compileBpf } from "./compile.ts";

/** The compiler encodes the instances; the codec must read them and write the same bytes. */
const object = compileBpf(`
typedef unsigned char u8; typedef unsigned long long u64;
enum state { CLOSED, OPEN = 7 };
enum minus { MINUS = -1 };
struct pair { short x, y; };
union word { unsigned int whole; u8 bytes[4]; struct pair pair; };
struct record {
  u64 id; long long delta; int count; u8 small; _Bool flag;
  unsigned int low : 3; int high : 5; u64 wide : 40;
  char comm[16]; char lines[2][4]; u8 address[4]; signed char deltas[3];
  struct pair pairs[2]; union word word; enum state state; enum minus minus;
  struct { int inside; union { float ratio; int raw; }; };
  double precise; void *pointer; __int128 huge; unsigned __int128 vast; u64 rest[];
};
struct record record __attribute__((section(".record"))) = {
  .id = 0xfedcba9876543210, .delta = -5, .count = -6, .small = 200, .flag = 1,
  .low = 6, .high = -9, .wide = 0xfedcba9876,
  .comm = "bash", .lines = {"abcd", "e"}, .address = {192, 168, 0, 1}, .deltas = {-1, 2, -3},
  .pairs = {{1, -2}, {3, 4}}, .word = {.whole = 0x04030201}, .state = OPEN, .minus = MINUS,
  .inside = 11, .ratio = 1.0f, .precise = 0.1, .pointer = (void *)0xffff888000000000,
  .huge = -2, .vast = ((unsigned __int128)1 << 100) + 1,
};
int scalar __attribute__((section(".scalar"))) = -77;
void function(void) {}
`);
const btf = parseBtf(object.section(".BTF"));
const codecOf = (name: string, kind: BtfKind) => createCodec(btf, findType(btf, name, kind)!);
const codec = codecOf("record", "struct");
const instance = object.section(".record").slice();

const VALUE = {
  id: 0xfedcba9876543210n,
  delta: -5n,
  count: -6,
  small: 200,
  flag: 1,
  low: 6,
  high: -9,
  wide: 0xfedcba9876n,
  comm: "bash",
  lines: ["abcd", "e"],
  address: new Uint8Array([192, 168, 0, 1]),
  deltas: [-1, 2, -3],
  pairs: [
    { x: 1, y: -2 },
    { x: 3, y: 4 },
  ],
  word: { whole: 0x04030201, bytes: new Uint8Array([1, 2, 3, 4]), pair: { x: 0x0201, y: 0x0403 } },
  state: 7,
  minus: 0xffffffff,
  inside: 11,
  ratio: 1,
  raw: 0x3f800000,
  precise: 0.1,
  pointer: 0xffff888000000000n,
  huge: -2n,
  vast: (1n << 100n) + 1n,
  rest: [],
};

/** Encodes over bytes that are not zero, so that padding shows. */
function encoded(value: unknown): Uint8Array {
  const bytes = new Uint8Array(codec.size).fill(0xff);
  codec.encode(value, bytes);
  return bytes;
}

describe("codec of a compiled struct", () => {
  it("has the struct's size", () => {
    expect(codec.size).toBe(instance.length);
  });

  it("decodes each field as the table says", () => {
    expect(codec.decode(instance)).toEqual(VALUE);
  });

  it("encodes what it decoded to the same bytes, padding zero", () => {
    expect(encoded(codec.decode(instance))).toEqual(instance);
  });

  it("decodes and encodes at an offset and leaves the bytes around alone", () => {
    const bytes = new Uint8Array(codec.size + 7).fill(0xaa);
    codec.encode(VALUE, bytes, 3);
    expect(codec.decode(bytes, 3)).toEqual(VALUE);
    expect([...bytes.subarray(0, 3)]).toEqual([0xaa, 0xaa, 0xaa]);
    expect([...bytes.subarray(codec.size + 3)]).toEqual([0xaa, 0xaa, 0xaa, 0xaa]);
  });

  it("decodes copies, which later writes do not change", () => {
    const bytes = instance.slice();
    const value = codec.decode(bytes);
    bytes.fill(0);
    expect(value).toEqual(VALUE);
  });

  it("takes missing and undefined fields as zero", () => {
    expect(encoded({})).toEqual(new Uint8Array(codec.size));
    expect(encoded({ count: undefined })).toEqual(new Uint8Array(codec.size));
  });

  it("takes any form of integer, bytes as a list, and shorter arrays", () => {
    const loose = { id: 5, count: 5n, flag: true, address: [1, 2], deltas: [], comm: [104, 105] };
    expect(codec.decode(encoded(loose))).toMatchObject({
      id: 5n,
      count: 5,
      flag: 1,
      address: new Uint8Array([1, 2, 0, 0]),
      deltas: [0, 0, 0],
      comm: "hi",
    });
  });

  it("takes a negative enumerator where the object does not say that the enum is signed", () => {
    expect(codec.decode(encoded({ minus: -1 }))).toMatchObject({ minus: 0xffffffff });
  });

  it("takes text that fills the array without a NUL", () => {
    expect(codec.decode(encoded({ comm: "0123456789abcdef" }))).toMatchObject({
      comm: "0123456789abcdef",
    });
  });

  it("takes one member of a union, or several that agree", () => {
    expect(codec.decode(encoded({ word: { pair: { y: 1 } } }))).toMatchObject({
      word: { whole: 0x10000 },
    });
    const agreeing = { whole: 0x10000, bytes: [0, 0, 1], pair: { y: 1 } };
    expect(codec.decode(encoded({ word: agreeing }))).toMatchObject({ word: { whole: 0x10000 } });
  });

  it.each<[string, unknown, RegExp]>([
    ["an unknown field", { nothing: 1 }, /"nothing" is not a field of struct record .*it has id/],
    ["an unknown inner field", { pairs: [{}, { z: 1 }] }, /"pairs\[1\]\.z" is not a field/],
    ["__proto__ as a field", JSON.parse('{"__proto__": 1}'), /"__proto__" is not a field/],
    ["256 for a byte", { small: 256 }, /"small" is 256, outside 0\.\.255/],
    ["-1 for an unsigned byte", { small: -1 }, /outside 0\.\.255/],
    ["2^31 for an int", { count: 2 ** 31 }, /outside -2147483648\.\.2147483647/],
    ["2^64 for a u64", { id: 1n << 64n }, /outside 0\.\.18446744073709551615/],
    ["-1 for a u64", { id: -1n }, /outside 0\.\.18446744073709551615/],
    ["8 for 3 bits", { low: 8 }, /"low" is 8, outside 0\.\.7/],
    ["16 for 5 signed bits", { high: 16 }, /outside -16\.\.15/],
    ["2^40 for 40 bits", { wide: 2 ** 40 }, /outside 0\.\.1099511627775/],
    ["2^127 for a signed 128-bit integer", { huge: 1n << 127n }, /outside/],
    ["2^32 for an enum", { state: 2 ** 32 }, /outside -2147483648\.\.4294967295/],
    ["a fraction", { count: 0.5 }, /is 0\.5, not an integer/],
    ["NaN for an integer", { count: Number.NaN }, /is NaN, not an integer/],
    ["text for an integer", { count: "7" }, /is "7", not an integer/],
    ["a bigint for a double", { precise: 1n }, /is 1n, not a number/],
    ["null for a struct", { pairs: [null] }, /"pairs\[0\]" is null, not an object/],
    ["a list for a struct", { pairs: [[1, 2]] }, /"pairs\[0\]" is an array, not an object/],
    ["an object for a list", { pairs: {} }, /"pairs" is an object, not an array/],
    ["one element too many", { pairs: [{}, {}, {}] }, /has 3 elements, more than the array's 2/],
    ["one byte too many", { address: new Uint8Array(5) }, /has 5 bytes, more than the array's 4/],
    ["256 among bytes", { address: [256] }, /"address" is an array, not bytes/],
    ["text too long in UTF-8", { comm: "äöüäöüäöü" }, /has 18 bytes of UTF-8/],
    ["text with a NUL inside", { comm: "a\0b" }, /has a NUL inside/],
    ["union members that disagree", { word: { whole: 1, pair: { y: 1 } } }, /contradicts another/],
    ["anonymous union members that disagree", { ratio: 1, raw: 1 }, /"ratio" contradicts/],
    ["a number for the whole struct", 5, /the value is 5, not an object for struct record/],
  ])("refuses %s and writes nothing", (_name, value, message) => {
    const bytes = new Uint8Array(codec.size).fill(0x5a);
    expect(() => codec.encode(value, bytes)).toThrow(BpfError);
    expect(() => codec.encode(value, bytes)).toThrow(message);
    expect(bytes.every((byte) => byte === 0x5a)).toBe(true);
  });

  it.each([-1, 0.5, 1, Number.NaN, 2 ** 40])(
    "refuses offset %d of a buffer that just fits",
    (offset) => {
      expect(() => codec.decode(instance, offset)).toThrow(/decode struct record .*do not fit/);
      expect(() => codec.encode({}, instance.slice(), offset)).toThrow(/encode struct record/);
    },
  );
});

describe("codec of other types", () => {
  it("decodes a scalar", () => {
    const scalar = codecOf("scalar", "variable");
    expect(scalar.size).toBe(4);
    expect(scalar.decode(object.section(".scalar"))).toBe(-77);
  });

  it("decodes a union", () => {
    const bytes = new Uint8Array([1, 0, 2, 0]);
    expect(codecOf("word", "union").decode(bytes)).toEqual({
      whole: 0x20001,
      bytes,
      pair: { x: 1, y: 2 },
    });
  });

  it("decodes memory that threads share", () => {
    const shared = new Uint8Array(new SharedArrayBuffer(instance.length));
    shared.set(instance);
    expect(codec.decode(shared)).toEqual(VALUE);
  });

  it("refuses a function", () => {
    expect(() => codecOf("function", "function")).toThrow(BpfError);
    expect(() => codecOf("function", "function")).toThrow(/function function .*has no size/);
  });
});

describe("codec of hostile types", () => {
  const types = (length: number) => ({
    littleEndian: true,
    strings: new Uint8Array(1),
    types: [
      { kind: "void", name: "" },
      { kind: "struct", name: "empty", size: 0, members: [] },
      { kind: "array", name: "", elementTypeId: 1, indexTypeId: 0, length },
    ] as const,
  });

  it("refuses four billion values in no bytes", () => {
    expect(() => createCodec(types(0xffffffff), 2)).toThrow(/holds more than 1048576 values/);
  });

  it("refuses two members of one name", () => {
    const member = { name: "x", typeId: 1, offset_bits: 0, bitfieldSize_bits: 0 };
    const twice = { kind: "struct", name: "s", size: 0, members: [member, member] } as const;
    const btf = { ...types(0), types: [...types(0).types, twice] };
    expect(() => createCodec(btf, 3)).toThrow(/"x" is declared twice/);
  });

  it("decodes a thousand empty structs", () => {
    expect(createCodec(types(1000), 2).decode(new Uint8Array(0))).toHaveLength(1000);
  });
});
