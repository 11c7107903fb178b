import { describe, expect, it } from "vitest";
import { parseBtfExt } from "#core/btf/ext.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { BpfError } from "#core/errors.ts";
import { compileBpf } from "./compile.ts";

const SOURCE = `
struct task { int pid; struct { long start; } inner; } __attribute__((preserve_access_index));
__attribute__((section("tp/one"), noinline)) long first(struct task *task) {
  return task->inner.start;
}
__attribute__((section("tp/two"))) long second(struct task *task) {
  return task->pid;
}
`;

describe("parseBtfExt on a compiled object", () => {
  const object = compileBpf(SOURCE);
  const btf = parseBtf(object.section(".BTF"));
  const bytes = object.section(".BTF.ext");
  const ext = parseBtfExt(bytes, btf);

  it("names the function at the start of each section", () => {
    const found = ext.functions.map((f) => [
      f.section,
      f.instructionOffset,
      btf.types[f.typeId]!.name,
    ]);
    expect(found).toEqual([
      ["tp/one", 0, "first"],
      ["tp/two", 0, "second"],
    ]);
  });

  it("gives line number and text of an instruction", () => {
    const line = ext.lines.find((entry) => entry.text.includes("task->inner.start"))!;
    expect(line).toMatchObject({ section: "tp/one", line: 4, text: "  return task->inner.start;" });
    expect(line.column).toBeGreaterThan(0);
    expect(line.instructionOffset % 8).toBe(0);
  });

  it("gives the access path of each CO-RE relocation", () => {
    const found = ext.coreRelocations.map((r) => [
      r.section,
      btf.types[r.typeId]!.name,
      r.access,
      r.kind,
    ]);
    expect(found).toEqual([
      ["tp/one", "task", "0:1:0", 0],
      ["tp/two", "task", "0:0", 0],
    ]);
  });

  it("has no relocations where the header ends before them", () => {
    const old = new Uint8Array(24);
    const view = new DataView(old.buffer);
    view.setUint32(0, 0x0001eb9f, true);
    view.setUint32(4, 24, true);
    expect(parseBtfExt(old, btf)).toEqual({ functions: [], lines: [], coreRelocations: [] });
  });

  /** The section with one word of it changed; offsets are relative to the header's end. */
  function changed(offset: number, word: number): Uint8Array {
    const copy = bytes.slice();
    new DataView(copy.buffer).setUint32(32 + offset, word, true);
    return copy;
  }

  it.each<[string, Uint8Array, RegExp]>([
    ["a cut-off section", bytes.subarray(0, bytes.length - 1), /after the end/],
    ["records of 4 bytes", changed(0, 4), /records of 4 bytes/],
    ["records of 9 bytes", changed(0, 9), /records of 9 bytes/],
    ["a section name out of range", changed(4, 0x7fffffff), /a section of function info/],
    ["2^32 - 1 records", changed(8, 0xffffffff), /4294967295 records, more than fit/],
    ["an instruction offset of 4", changed(12, 4), /offset 4 is not a multiple/],
    ["a type out of range", changed(16, 0xffff), /type 65535/],
    ["a function that is void", changed(16, 0), /type 0, a void/],
  ])("refuses %s", (_name, section, message) => {
    expect(() => parseBtfExt(section, btf)).toThrow(BpfError);
    expect(() => parseBtfExt(section, btf)).toThrow(message);
  });
});
