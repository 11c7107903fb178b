import { describe, expect, it } from "vitest";
import { Code } from "#wasm/loader/instructions.ts";
import { type LinkOptions, linkPrograms } from "#wasm/loader/link.ts";
import { type LinkedProgram, POISON_HELPER } from "#wasm/loader/linked_program.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";
import { compileBpf } from "../../../support/clang.ts";
import { thrown } from "../../../support/thrown.ts";

const HEADER = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
`;
const spec = parseObject(compileBpf("test/testdata/loader/relocations.bpf.c"), "t");
const OPTIONS = {
  kernelFunctions: { present_function: 77 },
  kernelSymbols: { present_symbol: 0x12_3456_789an },
};

function linked(name: string, options: LinkOptions = OPTIONS): LinkedProgram {
  return linkPrograms(spec, { ...options, programs: [name] })[0]!;
}

/** Start of a subprogram by name. */
function start(program: LinkedProgram, name: string): number {
  return program.subprograms.find((subprogram) => subprogram.name === name)!.start;
}

/** Targets of the calls in a subprogram, by name. */
function callees(program: LinkedProgram, name: string): string[] {
  const code = new Code(program.code);
  const from = program.subprograms.find((subprogram) => subprogram.name === name)!;
  const found: string[] = [];
  for (let slot = from.start; slot < from.start + from.length; slot++) {
    if (code.opcode(slot) !== 0x85 || code.source(slot) !== 1) continue;
    const target = slot + 1 + code.imm(slot);
    found.push(program.subprograms.find((subprogram) => subprogram.start === target)!.name);
  }
  return found;
}

describe("linkPrograms", () => {
  it("links programs that load by default, in their order", () => {
    const names = linkPrograms(spec, OPTIONS).map(({ name }) => name);
    expect(names).toEqual(["calls", "data", "callbacks", "externs"]);
  });

  it("links an optional program that is named", () => {
    expect(linked("optional", {}).section).toBe("tp/test/optional");
  });

  it("rejects a program that is not there, naming those that are", () => {
    const error = thrown(() => linkPrograms(spec, { programs: ["calls", "cals"] }));
    expect(error.message).toMatch(/no program "cals" \(ENOENT\); it has calls, data, callbacks/);
  });

  it("appends reached functions where they are first mentioned, once each", () => {
    const program = linked("calls");
    expect(program.subprograms.map(({ name }) => name)).toEqual([
      "calls",
      "add_global",
      "add_static",
      "add_weak",
    ]);
    let end = 0;
    for (const { start, length } of program.subprograms) {
      expect(start).toBe(end);
      end += length;
    }
    expect(program.code.length).toBe(end * 8);
  });

  it("resolves calls of global, static and weak functions, with or without a relocation", () => {
    const program = linked("calls");
    expect(callees(program, "calls")).toEqual(["add_global", "add_static", "add_weak"]);
    expect(callees(program, "add_global")).toEqual(["add_static"]);
  });

  it("moves references of appended functions with them", () => {
    const program = linked("calls");
    const at = (name: string) =>
      program.references
        .filter(({ slot }) => slot >= start(program, name))
        .map((reference) => ("map" in reference ? reference.map : ""));
    expect(at("add_weak")).toEqual([".bss"]);
    expect(at("add_static")).toEqual([".bss", ".data", ".bss"]);
    for (const { slot } of program.references) {
      expect(new Code(program.code).at(slot)).toMatchObject({ opcode: 0x18, src: 2, imm: 0 });
    }
  });

  it("names maps and bytes of global data, in order of slots", () => {
    const references = linked("data").references.map((reference) =>
      reference.kind === "map_value"
        ? `${reference.map}+${reference.offset}`
        : reference.kind === "map" && reference.map,
    );
    expect(references).toEqual([
      ".rodata+0",
      "first",
      ".data.shared+0",
      "second",
      ".data.shared+0",
      ".rodata+6",
      ".rodata+4",
      ".data+0",
      ".bss+0",
    ]);
  });

  it("gives callbacks as references to their subprogram", () => {
    const program = linked("callbacks");
    const target = start(program, "callback");
    const reference = program.references.find(({ kind }) => kind === "function")!;
    expect(reference).toEqual({ kind: "function", slot: reference.slot, target });
    expect(new Code(program.code).at(reference.slot)).toMatchObject({ src: 4, imm: 0 });
  });

  it("adds the offset within a section that the immediate carries", () => {
    const reference = linked("callbacks").references.at(-1);
    expect(reference).toMatchObject({ kind: "map_value", map: ".rodata", offset: 8 });
  });

  it("does not touch the object: linking twice gives the same", () => {
    expect(linkPrograms(spec, OPTIONS)).toEqual(linkPrograms(spec, OPTIONS));
  });

  it("calls a function in another section", () => {
    const source = `${HEADER}
__attribute__((noinline)) SEC("tc/other") int other(int x) { return x * 3; }
SEC("tc") int f(int *c) { return other(*c); }`;
    const object = parseObject(compileBpf(source), "t");
    const program = linkPrograms(object, { programs: ["f"] })[0]!;
    expect(callees(program, "f")).toEqual(["other"]);
  });

  it("links mutual recursion once", () => {
    const source = `${HEADER}
static __attribute__((noinline)) int odd(int x);
static __attribute__((noinline, optnone)) int even(int x) { return x ? odd(x - 1) : 1; }
static __attribute__((noinline, optnone)) int odd(int x) { return x ? even(x - 1) : 0; }
SEC("tc") int f(int *c) { return even(*c); }`;
    const program = linkPrograms(parseObject(compileBpf(source), "t"))[0]!;
    expect(program.subprograms.map(({ name }) => name)).toEqual(["f", "even", "odd"]);
    expect(callees(program, "even")).toEqual(["odd"]);
    expect(callees(program, "odd")).toEqual(["even"]);
  });

  it("links a chain of 2,000 functions", () => {
    const links = Array.from(
      { length: 2000 },
      (_, i) => `__attribute__((noinline)) int f${i + 1}(int x) { return f${i}(x) + ${i}; }`,
    );
    const source = `${HEADER}
__attribute__((noinline)) int f0(int x) { return x + 1; }
${links.join("\n")}
SEC("tc") int f(int *c) { return f2000(*c); }`;
    const program = linkPrograms(parseObject(compileBpf(source, ["-O1"]), "t"))[0]!;
    expect(program.subprograms.length).toBe(2002);
    expect(program.subprograms.at(-1)!.name).toBe("f0");
  });
});

describe("externs", () => {
  const loads = (program: LinkedProgram) => {
    const code = new Code(program.code);
    const named = new Set(program.references.map(({ slot }) => slot));
    const values: bigint[] = [];
    for (let slot = 0; slot < code.slots; slot++) {
      if (code.opcode(slot) !== 0x18) continue;
      const value = (BigInt(code.imm(slot + 1)) << 32n) | BigInt(code.imm(slot) >>> 0);
      if (!named.has(slot)) values.push(value);
      slot++;
    }
    return values;
  };

  it("of the configuration refer to .kconfig", () => {
    const references = linked("externs").references;
    expect(references.map((reference) => "offset" in reference && reference.offset)).toEqual([
      0, 4, 5,
    ]);
  });

  it("that are weak and absent are 0, present ones their address", () => {
    expect(loads(linked("externs"))).toEqual([0n, 0x12_3456_789an, 0n]);
  });

  it("that are strong and absent are an error that names them", () => {
    const error = thrown(() => linked("externs", {}));
    expect(error.message).toMatch(/kernel function "present_function" does not exist here/);
    expect(error.code).toBe("ENOENT");
    expect(() => linked("calls", {})).not.toThrow();
  });

  it("that are functions are called by number; an absent weak one is poison", () => {
    const program = linked("externs");
    const code = new Code(program.code);
    const calls = [];
    for (let slot = 0; slot < code.slots; slot++) {
      if (code.opcode(slot) === 0x85) calls.push({ slot, ...code.at(slot) });
    }
    expect(calls).toMatchObject([
      { src: 0, imm: POISON_HELPER },
      { src: 2, imm: 77 },
    ]);
    expect(program.poisoned).toEqual([
      { slot: calls[0]!.slot, reason: "kernel function absent_function does not exist here" },
    ]);
  });

  it("are not confused with what every object has", () => {
    const source = `${HEADER}
extern const void constructor __ksym __weak;
SEC("tc") int f(void *c) { return &constructor != 0; }`;
    const object = parseObject(compileBpf(source), "t");
    expect(() => linkPrograms(object, { kernelSymbols: {} })).not.toThrow();
  });
});

describe("source lines", () => {
  it("follow functions to their place, ordered by slot", () => {
    const program = linked("calls");
    const slots = program.lines.map(({ slot }) => slot);
    expect(slots).toEqual([...slots].sort((a, b) => a - b));
    const first = program.subprograms.map(
      ({ start }) => program.lines.find(({ slot }) => slot === start)!,
    );
    expect(first.map(({ text }) => text.trim())).toEqual([
      "return add_global(1) + add_static(2) + add_weak(3);",
      "return add_static(x) + initialized;",
      "zero_static += x;",
      "return x + zero;",
    ]);
    for (const { file, line } of first) {
      expect(file).toMatch(/relocations\.bpf\.c$/);
      expect(line).toBeGreaterThan(40);
    }
  });
});
