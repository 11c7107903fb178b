import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { BtfType } from "#core/btf/btf.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { findType, sizeOf } from "#core/btf/queries.ts";
import { BpfError } from "#core/errors.ts";
import { compileBpf } from "./compile.ts";

const SOURCE = `
#define TAG __attribute__((btf_decl_tag("counted")))
#define USER __attribute__((btf_type_tag("user")))
struct unknown;
enum color { RED, GREEN = 7, LAST = 0xffffffff };
typedef unsigned int u32;
typedef int (*handler)(struct unknown *, const char *);
union word { u32 whole; unsigned char bytes[4]; };
struct sample {
  char comm[16];
  u32 low : 3, high : 5;
  _Bool flag;
  const volatile long value;
  union word word;
  struct { short x, y; };
  enum color color;
  handler call;
  struct unknown *opaque;
  struct sample *next TAG;
  char USER *buffer;
  char *restrict alias;
  float ratio;
  double precise;
} sample;
static int helper(int x) { return x + 1; }
extern int outside(int);
__attribute__((section("socket"))) int entry(int *context TAG) {
  volatile int kept = helper(*context);
  return kept + outside(1);
}
`;

describe("parseBtf on a compiled object", () => {
  const btf = parseBtf(compileBpf(SOURCE).section(".BTF"));
  const find = (name: string, kind: BtfType["kind"]): BtfType =>
    btf.types[findType(btf, name, kind)!]!;

  it("yields void as type 0", () => {
    expect(btf.types[0]).toEqual({ kind: "void", name: "" });
  });

  it("yields every kind that clang emits for the source", () => {
    const kinds = new Set(btf.types.map((type) => type.kind));
    for (const kind of [
      "int",
      "float",
      "pointer",
      "array",
      "struct",
      "union",
      "enum",
      "forward",
      "typedef",
      "volatile",
      "const",
      "restrict",
      "type_tag",
      "decl_tag",
      "function",
      "prototype",
      "variable",
      "section",
    ] as const) {
      expect(kinds, kind).toContain(kind);
    }
  });

  it("reads bit fields with offset and width in bits", () => {
    const sample = find("sample", "struct");
    if (sample.kind !== "struct") throw new Error("not a struct");
    const fields = new Map(sample.members.map((member) => [member.name, member]));
    expect(fields.get("comm")).toMatchObject({ offset_bits: 0, bitfieldSize_bits: 0 });
    expect(fields.get("low")).toMatchObject({ offset_bits: 128, bitfieldSize_bits: 3 });
    expect(fields.get("high")).toMatchObject({ offset_bits: 131, bitfieldSize_bits: 5 });
    expect(fields.get("flag")).toMatchObject({ offset_bits: 136, bitfieldSize_bits: 0 });
  });

  it("reads enumerators as unsigned where the enum is unsigned", () => {
    expect(find("color", "enum")).toMatchObject({
      size: 4,
      signed: false,
      enumerators: [
        { name: "RED", value: 0n },
        { name: "GREEN", value: 7n },
        { name: "LAST", value: 0xffffffffn },
      ],
    });
  });

  it("reads linkage of functions and variables", () => {
    expect(find("entry", "function")).toMatchObject({ linkage: "global" });
    expect(find("outside", "function")).toMatchObject({ linkage: "extern" });
    expect(find("sample", "variable")).toMatchObject({ linkage: "global" });
  });

  it("reads which component a tag is on", () => {
    const components = btf.types.flatMap((type) =>
      type.kind === "decl_tag" ? [type.component] : [],
    );
    expect(components.toSorted((a, b) => a - b)).toEqual([0, 10]);
  });

  it("reads integers' signedness and flavour", () => {
    expect(find("int", "int")).toMatchObject({ size: 4, signed: true, bits: 32, bool: false });
    expect(find("_Bool", "int")).toMatchObject({ size: 1, signed: false, bool: true });
    expect(find("unsigned char", "int")).toMatchObject({ size: 1, signed: false });
  });

  it("parses bytes that start at an odd address", () => {
    const bytes = compileBpf(SOURCE).section(".BTF");
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    expect(parseBtf(moved.subarray(3)).types).toEqual(btf.types);
  });

  it("refuses big-endian objects and names the flag to build with", () => {
    const bytes = compileBpf(SOURCE).section(".BTF").slice();
    bytes.set([0xeb, 0x9f]);
    expect(() => parseBtf(bytes)).toThrow(/big-endian.*-target bpfel/);
  });
});

/** Words of the type section, then the strings: enough to write malformed BTF by hand. */
function rawBtf(words: readonly number[], strings = "\0", header: Record<number, number> = {}) {
  const bytes = new Uint8Array(24 + words.length * 4 + strings.length);
  const view = new DataView(bytes.buffer);
  const head = [0x0001eb9f, 24, 0, words.length * 4, words.length * 4, strings.length];
  for (const [index, word] of head.entries())
    view.setUint32(index * 4, header[index] ?? word, true);
  for (const [index, word] of words.entries()) view.setUint32(24 + index * 4, word >>> 0, true);
  bytes.set(new TextEncoder().encode(strings), 24 + words.length * 4);
  return bytes;
}

const head = (kind: number, count = 0, flag = 0) => ((flag << 31) | (kind << 24) | count) >>> 0;
const INT = [0, head(1), 4, 0x01000020];

describe("parseBtf on hand-made BTF", () => {
  it("accepts a section without types", () => {
    expect(parseBtf(rawBtf([])).types).toHaveLength(1);
  });

  it("reads 64-bit enumerators, signed and unsigned", () => {
    const body = [1, 0xfffffffe, 0xffffffff];
    const { types } = parseBtf(
      rawBtf([0, head(19, 1, 1), 8, ...body, 0, head(19, 1, 0), 8, ...body], "\0A\0"),
    );
    expect(types[1]).toMatchObject({ signed: true, enumerators: [{ name: "A", value: -2n }] });
    expect(types[2]).toMatchObject({ signed: false, enumerators: [{ value: (1n << 64n) - 2n }] });
  });

  it("reads signed 32-bit enumerators", () => {
    const { types } = parseBtf(rawBtf([0, head(6, 1, 1), 4, 1, 0xffffffff], "\0A\0"));
    expect(types[1]).toMatchObject({ signed: true, enumerators: [{ value: -1n }] });
  });

  it("reads names that are not ASCII", () => {
    const bytes = rawBtf([1, head(1), 4, 0x01000020], "\0aaaaa\0");
    bytes.set(new TextEncoder().encode("größ").subarray(0, 5), bytes.length - 6);
    expect(parseBtf(bytes).types[1]!.name).toBe("grö\ufffd");
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["no bytes", new Uint8Array(0), /too short/],
    ["a header cut by one byte", rawBtf([]).subarray(0, 23), /too short/],
    ["a foreign magic", rawBtf([], "\0", { 0: 0x0001464c }), /magic/],
    ["version 2", rawBtf([], "\0", { 0: 0x0002eb9f }), /version is 2/],
    ["a header beyond the end", rawBtf([], "\0", { 1: 4096 }), /header length/],
    ["types beyond the end", rawBtf([], "\0", { 3: 4096 }), /type section ends/],
    ["types at 2^32 - 4", rawBtf([], "\0", { 2: 0xfffffffc, 3: 0xfffffffc }), /type section ends/],
    ["strings beyond the end", rawBtf([], "\0", { 5: 2 }), /string section ends/],
    ["types off a word boundary", rawBtf([0, 0], "\0", { 2: 2, 3: 4 }), /multiple of 4/],
    ["no strings", rawBtf([], ""), /string section of 0/],
    ["strings that start with a name", rawBtf([], "a\0"), /empty string/],
    ["strings without a final NUL", rawBtf([], "\0a"), /no terminating NUL/],
    ["a type head cut off", rawBtf([0, head(1)]), /type 1 is cut off/],
    ["an int without its data word", rawBtf([0, head(1), 4]), /type 1 is cut off/],
    ["one member too few", rawBtf([...INT, 0, head(4, 2), 4, 0, 1, 0]), /type 2 is cut off/],
    ["kind 0", rawBtf([0, 0, 0]), /unknown kind 0/],
    ["kind 20", rawBtf([0, head(20), 0]), /unknown kind 20/],
    ["reserved bits", rawBtf([0, head(2) | 0x10000, 0]), /reserved bits/],
    ["a name beyond the strings", rawBtf([1, head(1), 4, 32]), /type 1 has a name at offset 1/],
    ["an int of 3 bytes", rawBtf([0, head(1), 3, 8]), /integer of 3 bytes/],
    ["an int of 33 bits in 4 bytes", rawBtf([0, head(1), 4, 33]), /bits 0\.\.33 of 32/],
    ["an enum of 3 bytes", rawBtf([0, head(6), 3]), /enum of 3 bytes/],
    ["a float of 5 bytes", rawBtf([0, head(16), 5]), /5 bytes/],
    ["a pointer past the last type", rawBtf([0, head(2), 2]), /refers to type 2/],
    ["linkage 3", rawBtf([0, head(12, 3), 0]), /linkage 3/],
    ["a function that is an int", rawBtf([...INT, 0, head(12), 1]), /not a prototype/],
    ["a section that holds an int", rawBtf([...INT, 0, head(15, 1), 4, 1, 0, 4]), /is a int/],
    ["a tag on a member too far", rawBtf([0, head(4), 0, 0, head(17), 1, 0]), /component 0/],
    ["a tag on component -2", rawBtf([0, head(4), 0, 0, head(17), 1, -2]), /component -2/],
    ["a typedef of itself", rawBtf([0, head(8), 1]), /type 1 contains itself/],
    ["typedefs in a circle", rawBtf([0, head(8), 2, 0, head(10), 1]), /contains itself/],
    ["an array of itself", rawBtf([...INT, 0, head(3), 0, 2, 1, 4]), /type 2 contains itself/],
    ["a struct in itself", rawBtf([0, head(4, 1), 4, 0, 1, 0]), /type 1 contains itself/],
    ["a pointer to a variable", rawBtf([...INT, 0, head(14), 1, 0, 0, head(2), 2]), /as data/],
  ])("refuses %s", (_name, bytes, message) => {
    expect(() => parseBtf(bytes)).toThrow(BpfError);
    expect(() => parseBtf(bytes)).toThrow(message);
  });

  it("accepts a struct that points to itself", () => {
    const words = [0, head(4, 1), 8, 0, 2, 0, 0, head(2), 1];
    expect(parseBtf(rawBtf(words)).types).toHaveLength(3);
  });

  it("survives a chain of a hundred thousand typedefs", () => {
    const words: number[] = [];
    for (let id = 1; id <= 100_000; id++) words.push(0, head(8), id === 100_000 ? 0 : id + 1);
    expect(parseBtf(rawBtf(words)).types).toHaveLength(100_001);
    words[words.length - 1] = 1;
    expect(() => parseBtf(rawBtf(words))).toThrow(/contains itself/);
  });
});

const VMLINUX = "/sys/kernel/btf/vmlinux";

describe.skipIf(!existsSync(VMLINUX))("parseBtf on the running kernel's types", () => {
  it("finds well-known structs and their sizes, within 1.5 s", () => {
    const bytes = new Uint8Array(readFileSync(VMLINUX));
    const start = performance.now();
    const btf = parseBtf(bytes);
    expect(performance.now() - start, "milliseconds").toBeLessThan(1_500);
    expect(btf.types.length).toBeGreaterThan(10_000);
    expect(sizeOf(btf, findType(btf, "task_struct", "struct")!)).toBeGreaterThan(1_000);
    expect(sizeOf(btf, findType(btf, "list_head", "struct")!)).toBe(16);
    expect(findType(btf, "bpf_map_type", "enum")).toBeDefined();
  });
});
