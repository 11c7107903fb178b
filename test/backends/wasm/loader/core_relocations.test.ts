import { describe, expect, it } from "vitest";
import { sizeOf } from "#core/btf/queries.ts";
import { describeCore } from "#wasm/loader/core_relocations.ts";
import { CORE_KIND } from "#wasm/loader/core_values.ts";
import { Code } from "#wasm/loader/instructions.ts";
import { linkPrograms } from "#wasm/loader/link.ts";
import { type LinkedProgram, POISON_HELPER } from "#wasm/loader/linked_program.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";
import { expectAgreement } from "../../../support/agreement.ts";
import { compileBpf } from "../../../support/clang.ts";
import { withCoreKind } from "../../../support/core_kind.ts";
import { linkWithLibbpf } from "../../../support/libbpf.ts";
import { thrown } from "../../../support/thrown.ts";

const HEADER = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
`;
const CORE = "__attribute__((preserve_access_index))";

const kernel = compileBpf("test/testdata/loader/core_kernel.c");
const object = withCoreKind(
  compileBpf("test/testdata/loader/core.bpf.c"),
  "raw_tp/matches",
  CORE_KIND.TYPE_EXISTS,
  CORE_KIND.TYPE_MATCHES,
);
const targetBtf = parseObject(kernel, "kernel").btf;
const spec = parseObject(object, "t");
const programs = new Map(linkPrograms(spec, { targetBtf }).map((p) => [p.name, p] as const));

/** What the immediates of a program became, by what their relocations ask for. */
function answers(name: string): Record<string, number> {
  const program = programs.get(name)!;
  const code = new Code(program.code);
  return Object.fromEntries(
    spec.ext.coreRelocations
      .filter(({ section }) => section === program.section)
      .map((relocation) => [
        describeCore(spec.btf, relocation),
        code.imm(relocation.instructionOffset / 8),
      ]),
  );
}

function link(source: string, target: string): LinkedProgram {
  const types = parseObject(compileBpf(target), "kernel").btf;
  return linkPrograms(parseObject(compileBpf(HEADER + source), "t"), { targetBtf: types })[0]!;
}

it("every kind of relocation occurs in the test object", () => {
  const kinds = new Set(spec.ext.coreRelocations.map(({ kind }) => kind));
  expect([...kinds].sort((a, b) => a - b)).toEqual(Object.values(CORE_KIND));
});

it("libbpf agrees on every instruction", () => {
  expect(expectAgreement(object, kernel).length).toBe(10);
});

describe("fields", () => {
  it("move to where the kernel has them, loads resized", () => {
    const code = new Code(programs.get("loads")!.code);
    const loads = [];
    for (let slot = 0; slot < code.slots; slot++) {
      const { opcode, src, offset } = code.at(slot);
      if ((opcode & 0x67) === 0x61 && src !== 2) loads.push([opcode, offset]);
    }
    // deep (in an anonymous union, at 40), nested.y, qualified, grew from 4 to 8 bytes.
    expect(loads).toContainEqual([0x61, 40]);
    expect(loads).toContainEqual([0x61, 48 + 24]);
    expect(loads).toContainEqual([0x61, 80]);
    expect(loads).toContainEqual([0x79, 88]);
    // shrank from 8 to 2 bytes.
    expect(loads).toContainEqual([0x69, 96]);
  });

  it("answer existence, size, sign and shifts", () => {
    expect(answers("fields")).toEqual({
      "existence of struct widget.missing": 0,
      "existence of struct widget.deep": 1,
      "existence of struct nowhere.at_all": 0,
      "existence of struct widget___old.missing": 0,
      "existence of struct widget___old.grew": 1,
      "existence of struct widget___other.deep_long": 1,
      "byte size of struct widget.array": 80,
      "byte size of struct widget.nested": 32,
      "byte size of struct widget.bytes[2]": 1,
      "signedness of struct widget.deep": 1,
      "signedness of struct widget.qualified": 0,
      "signedness of struct widget.colour": 0,
      "signedness of struct widget.became_signed": 1,
      "left shift of struct widget.grew": 0,
      "right shift of struct widget.grew": 0,
    });
  });
});

describe("types", () => {
  it("answer existence, size and id", () => {
    const found = answers("types");
    const local = found["local type id of struct widget"]!;
    expect(spec.btf.types[local]).toMatchObject({ kind: "struct", name: "widget" });
    const target = found["type id of struct widget"]!;
    expect(targetBtf.types[target]).toMatchObject({ kind: "struct", name: "widget" });
    expect(found).toEqual({
      "existence of struct widget": 1,
      "existence of struct nowhere": 0,
      "existence of anonymous_t": 1,
      "existence of absent_t": 0,
      "existence of handler_t": 1,
      "existence of handler_t___short": 0,
      "existence of array_t": 1,
      "existence of enum colour": 1,
      "existence of union number": 1,
      "size of struct widget": sizeOf(targetBtf, target),
      "size of struct nowhere": 0,
      "size of anonymous_t": 16,
      "size of array_t": 32,
      "local type id of struct widget": local,
      "type id of struct widget": target,
      "type id of struct nowhere": 0,
      "byte offset of anonymous_t.value": 8,
    });
  });

  it("match where members and prototypes do", () => {
    expect(answers("matches")).toEqual({
      "match of struct point": 1,
      "match of struct point___fewer": 1,
      "match of struct point___more": 0,
      "match of struct point___wrong_type": 0,
      "match of struct widget": 0,
      "match of struct uses": 1,
      // It has a floating-point member, which libbpf does not compare.
      "match of union number": 0,
      "match of enum direction": 1,
      // The kernel lacks one of its names.
      "match of enum colour": 0,
      "match of handler_t": 1,
      "match of handler_t___short": 0,
      // Behind a pointer a struct counts by name alone.
      "match of other_handler_t": 1,
      "match of array_t": 1,
      "match of struct nowhere": 0,
    });
  });
});

describe("enumerators", () => {
  it("answer existence and value, 32-bit values sign-extended", () => {
    const code = new Code(programs.get("enums")!.code);
    const wide = [];
    for (let slot = 0; slot < code.slots; slot++) {
      if (!code.isLddw(slot) || code.source(slot) !== 0) continue;
      wide.push((BigInt(code.imm(slot + 1)) << 32n) | BigInt(code.imm(slot) >>> 0));
    }
    expect(wide).toContain(7n);
    expect(wide).toContain(-0x8000_0000n);
    expect(wide).toContain(-1n);
  });
});

describe("poison", () => {
  it("takes the place of what the kernel lacks, with the reason", () => {
    const { poisoned, code } = programs.get("poison")!;
    expect(poisoned.map(({ reason }) => reason)).toEqual([
      "CO-RE relocation (byte offset of struct widget.missing): the kernel's types have no such thing",
      "CO-RE relocation (byte size of struct widget.missing): the kernel's types have no such thing",
      "CO-RE relocation (byte offset of struct widget.became_signed): the field has 4 bytes in the " +
        "kernel's types, 8 in the object's, and is neither a pointer nor unsigned",
      "CO-RE relocation (byte offset of struct widget.became_bits): the field is a bit field in the " +
        "kernel's types",
    ]);
    for (const { slot } of poisoned) {
      expect(new Code(code).at(slot)).toMatchObject({ opcode: 0x85, src: 0, imm: POISON_HELPER });
    }
  });

  it("covers both slots of a 64-bit load", () => {
    const { poisoned } = programs.get("enums")!;
    expect(poisoned.map(({ slot }) => slot - poisoned[0]!.slot)).toEqual([0, 1]);
  });

  it("moves with a function that is appended", () => {
    const source = `struct s { int gone; } ${CORE};
static __attribute__((noinline)) int f(struct s *s) { return s->gone; }
SEC("tc") int p(struct s *s) { return f(s) + f(s + 1); }`;
    const program = link(source, "struct s { int other; } s;\n");
    const { start, length } = program.subprograms[1]!;
    expect(program.poisoned.length).toBe(1);
    expect(program.poisoned[0]!.slot).toBeGreaterThanOrEqual(start);
    expect(program.poisoned[0]!.slot).toBeLessThan(start + length);
  });
});

describe("what cannot be relocated", () => {
  it("is an error when no types are given, but only where they are needed", () => {
    const error = thrown(() => linkPrograms(spec, { programs: ["loads"] }));
    expect(error.operation).toBe("open t");
    expect(error.message).toMatch(/byte offset of struct widget\.deep.*none were given.*targetBtf/);
    const plain = parseObject(compileBpf("test/testdata/loader/maps.bpf.c"), "t");
    expect(() => linkPrograms(plain)).not.toThrow();
  });

  it("is an error when the kernel has several types that disagree", () => {
    const source = `struct s { int a; } ${CORE};
SEC("tc") int p(struct s *s) { return s->a; }`;
    const target = "struct s { int a; } one; struct s___b { int pad; int a; } two;\n";
    expect(thrown(() => link(source, target)).message).toMatch(
      /\(byte offset of struct s\.a\) of instruction 0 of "p": several types .* disagree/,
    );
    const libbpf = linkWithLibbpf(compileBpf(HEADER + source), compileBpf(target));
    expect(libbpf).toMatch(/ambiguity/);
  });

  it("is an error when the field is out of the instruction's reach", () => {
    const source = `struct huge { int far; } ${CORE};
SEC("tc") int p(struct huge *huge) { return huge->far; }`;
    expect(
      thrown(() => link(source, "struct huge { char a[40000]; int far; } huge;\n")).message,
    ).toMatch(/puts the field at 40000, out of the instruction's reach/);
  });

  it("is no error in a program that is not linked", () => {
    const source = `struct huge { int far; } ${CORE};
SEC("?tc") int p(struct huge *huge) { return huge->far; }
SEC("tc") int q(struct huge *huge) { return 0; }`;
    expect(link(source, "struct huge { char a[40000]; int far; } huge;\n").name).toBe("q");
  });
});
