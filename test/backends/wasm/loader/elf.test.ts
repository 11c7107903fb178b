import { describe, expect, it } from "vitest";
import { parseElf } from "#wasm/loader/elf.ts";
import { LIMITS } from "#wasm/loader/limits.ts";
import { compileBpf } from "../../../support/clang.ts";
import { thrown } from "../../../support/thrown.ts";

const object = compileBpf("test/testdata/loader/relocations.bpf.c");

function patched(at: number, ...bytes: number[]): Uint8Array {
  const copy = object.slice();
  copy.set(bytes, at);
  return copy;
}

function openError(bytes: Uint8Array): string {
  const error = thrown(() => parseElf(bytes, "t"));
  expect(error.operation).toBe("open t");
  return `${error.code}: ${error.message}`;
}

describe("parseElf", () => {
  it("yields sections, symbols and relocations of a compiled object", () => {
    const elf = parseElf(object, "t");
    const text = elf.sections.find(({ name }) => name === ".text")!;
    expect(text.size % 8).toBe(0);
    expect(text.data.length).toBe(text.size);
    const bss = elf.sections.find(({ name }) => name === ".bss")!;
    expect([bss.size, bss.data.length]).toEqual([8, 0]);
    const calls = elf.symbols.find(({ name }) => name === "calls")!;
    expect(calls).toMatchObject({ type: "function", binding: "global", size: 96 });
    expect(elf.sections[calls.section!]!.name).toBe("tp/test/calls");
    const weak = elf.symbols.find(({ name }) => name === "add_weak")!;
    expect(weak.binding).toBe("weak");
    const absent = elf.symbols.find(({ name }) => name === "absent_symbol")!;
    expect([absent.section, absent.sectionNumber, absent.type]).toEqual([undefined, 0, "none"]);
    const relocations = elf.relocations.get(calls.section!)!;
    expect(relocations.map(({ offset, type }) => [offset, type])).toEqual([
      [8, 10],
      [32, 10],
      [64, 10],
    ]);
  });

  it("names a section symbol after its section", () => {
    const { symbols, sections } = parseElf(object, "t");
    const section = symbols.find(({ type }) => type === "section")!;
    expect(section.name).toBe(sections[section.section!]!.name);
  });

  it("does not read past a view into a larger buffer", () => {
    const larger = new Uint8Array(object.length + 200).fill(0xff);
    larger.set(object, 100);
    const view = larger.subarray(100, 100 + object.length);
    expect(parseElf(view, "t").symbols).toEqual(parseElf(object, "t").symbols);
  });

  it.each([
    ["empty", new Uint8Array(0), /^ENOEXEC: .*not an ELF object/],
    ["text", new TextEncoder().encode("#include <x>\n"), /^ENOEXEC: .*not an ELF object/],
    ["cut in the header", object.slice(0, 63), /^ENOEXEC: .*truncated: 63 of 64 header bytes/],
    ["32-bit", patched(4, 1), /^ENOEXEC: .*not 64-bit/],
    ["big-endian", patched(5, 2), /object is big-endian .*rebuild with clang -target bpfel/],
    ["of no byte order", patched(5, 0), /^ENOEXEC: .*unknown byte order 0/],
    ["for x86-64", patched(18, 62, 0), /^ENOEXEC: .*ELF machine 62, not BPF/],
    ["an executable", patched(16, 2, 0), /^ENOEXEC: .*ELF type 2 is not relocatable/],
    ["without sections", patched(60, 0, 0), /^EINVAL: .*no sections/],
    ["with odd section headers", patched(58, 40, 0), /headers are 40 bytes long, not 64/],
    ["with its section table far off", patched(46, 0x7f), /section table offset is out of range/],
    ["with its names in no section", patched(62, 0xff, 0xff), /names are in section 65535/],
    ["cut in the section table", object.slice(0, -1), /truncated: section table ends at byte/],
  ])("rejects an object that is %s", (_, bytes, expected) => {
    expect(openError(bytes)).toMatch(expected);
  });

  it("rejects one section more than the limit", () => {
    const count = LIMITS.sections + 1;
    expect(openError(patched(60, count & 0xff, count >> 8))).toMatch(/4097 sections, more than/);
  });

  it("rejects a section that ends one byte after the file", () => {
    const view = new DataView(object.buffer);
    const table = Number(view.getBigUint64(40, true));
    const offset = Number(view.getBigUint64(table + 64 + 24, true));
    const bytes = object.slice();
    const size = BigInt(object.length - offset);
    new DataView(bytes.buffer).setBigUint64(table + 64 + 32, size, true);
    expect(() => parseElf(bytes, "t")).not.toThrow();
    new DataView(bytes.buffer).setBigUint64(table + 64 + 32, size + 1n, true);
    expect(openError(bytes)).toMatch(/truncated: section 1 ends at byte/);
  });
});
