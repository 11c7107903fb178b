import { describe, expect, it } from "vitest";
import { malformation } from "#wasm/engines/instruction_check.ts";
import { disassemble, disassembleAt } from "#wasm/loader/disassemble.ts";
import { helperId, helperName } from "#wasm/loader/helper_names.ts";
import { Code, type Instruction, OPCODE } from "#wasm/loader/instructions.ts";
import { linkPrograms } from "#wasm/loader/link.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";
import { compileBpf } from "../../../support/clang.ts";
import { disassembleWithLlvm } from "../../../support/objdump.ts";

function text(opcode: number, fields: Partial<Instruction> = {}): string {
  return disassemble({ opcode, dst: 1, src: 2, offset: 0, imm: 0, ...fields });
}

/** Well-formed instructions of every opcode, with a few values in each field. */
function everyInstruction(): Instruction[] {
  const immediates = [
    0, 1, 16, 32, 64, -5, 0x40, 0x50, 0xa0, 0x41, 0x51, 0xa1, 0xe1, 0xf1, 100_000,
  ];
  const found: Instruction[] = [];
  for (let opcode = 0; opcode < 256; opcode++) {
    for (const imm of immediates) {
      for (const offset of [0, 1, 8, -3]) {
        for (const [dst, src] of [
          [0, 0],
          [3, 0],
          [3, 9],
        ] as const) {
          const instruction = { opcode, dst, src, offset, imm };
          if (malformation(instruction) === undefined) found.push(instruction);
        }
      }
    }
  }
  return found;
}

/** What LLVM 14 prints otherwise than its successors: it is older than instruction set v4. */
function differsInLlvm14({ opcode, offset, src, imm }: Instruction): boolean {
  const division = (opcode & 0x04) !== 0 && [0x30, 0x90].includes(opcode & 0xf0);
  const move = (opcode & 0xf4) === 0xb4;
  if ((division || move) && offset !== 0) return true;
  if (opcode === OPCODE.LDDW && src !== 0) return true;
  if (opcode === OPCODE.CALLX) return true;
  // It takes every 32-bit add for the one without fetch, and prints a 64-bit register.
  return opcode === 0xc3 && (imm === 0 || imm === 1);
}

describe("disassemble", () => {
  it("agrees with LLVM on every instruction that LLVM 14 knows", () => {
    const instructions = everyInstruction().filter((instruction) => !differsInLlvm14(instruction));
    const code = new Code(new Uint8Array(instructions.length * 16));
    const places = new Map<number, Instruction>();
    let slot = 0;
    for (const instruction of instructions) {
      places.set(slot, instruction);
      code.set(slot++, instruction);
      if (instruction.opcode === OPCODE.LDDW) slot++;
    }
    const llvm = disassembleWithLlvm(code.bytes.slice(0, slot * 8));
    let compared = 0;
    for (const [place, instruction] of places) {
      const expected = llvm.get(place);
      if (expected === undefined) continue;
      const call = instruction.opcode === OPCODE.CALL;
      const ours = call ? `call ${instruction.imm}` : disassemble(instruction);
      expect(ours, JSON.stringify(instruction)).toBe(expected);
      compared++;
    }
    expect(compared).toBeGreaterThan(3000);
  });

  it.each([
    // Instruction set v4, and what came after it.
    ["r1 s/= 7", 0x37, { offset: 1, imm: 7 }],
    ["w1 s%= w2", 0x9c, { offset: 1 }],
    ["r1 %= 7", 0x97, { imm: 7 }],
    ["r1 = (s8)r2", 0xbf, { offset: 8 }],
    ["w1 = (s16)w2", 0xbc, { offset: 16 }],
    ["r1 = *(s32 *)(r2 - 4)", 0x81, { offset: -4 }],
    ["r1 = bswap32 r1", 0xd7, { imm: 32 }],
    ["r1 = be16 r1", 0xdc, { imm: 16 }],
    ["gotol +70000", 0x06, { imm: 70_000 }],
    ["*(u32 *)(r1 + 8) = -1", 0x62, { offset: 8, imm: -1 }],
    ["r1 = load_acquire((u64 *)(r2 + 8))", 0xdb, { offset: 8, imm: 0x100 }],
    ["w1 = load_acquire((u8 *)(r2 + 0))", 0xd3, { imm: 0x100 }],
    ["store_release((u16 *)(r1 - 2), w2)", 0xcb, { offset: -2, imm: 0x110 }],
    ["may_goto +5", 0xe5, { offset: 5 }],
    ["callx r1", 0x8d, {}],
    ["if r1 & 5 goto -2", 0x45, { imm: 5, offset: -2 }],
    ["if w1 & w2 goto +0", 0x4e, {}],
    ["lock *(u32 *)(r1 + 0) += w2", 0xc3, {}],
    // Names in the place of numbers.
    ["call bpf_map_lookup_elem", 0x85, { src: 0, imm: 1 }],
    ["call helper 9999", 0x85, { src: 0, imm: 9999 }],
    ["call pc-3", 0x85, { src: 1, imm: -3 }],
    ["call kernel function 42", 0x85, { src: 2, imm: 42 }],
    ["r0 = *(u8 *)skb[5]", 0x30, { imm: 5 }],
    // What is no instruction.
    ["unknown opcode 0xff", 0xff, {}],
    ["unknown opcode 0x0", 0x00, {}],
    ["unknown opcode 0xc3", 0xc3, { imm: 0x999 }],
    ["unknown opcode 0xcb", 0xcb, { imm: 0x40 }],
    ["unknown opcode 0x99", 0x99, {}],
  ])("gives %j", (expected, opcode, fields) => {
    expect(text(opcode, fields)).toBe(expected);
  });

  it("has a text for every possible instruction", () => {
    for (let opcode = 0; opcode < 256; opcode++) {
      for (const imm of [0, 1, -1, 16, 0x100, 0x110, 0x7fffffff]) {
        expect(text(opcode, { imm, dst: 15, src: 15, offset: -1 })).not.toBe("");
      }
    }
  });
});

describe("disassembleAt", () => {
  const spec = parseObject(compileBpf("test/testdata/loader/relocations.bpf.c"), "t");
  const listing = (name: string) => {
    const program = linkPrograms(spec, {
      programs: [name],
      kernelFunctions: { present_function: 77 },
    })[0]!;
    return Array.from({ length: program.code.length / 8 }, (_, slot) =>
      disassembleAt(program, slot),
    );
  };

  it("names maps, global data, functions and callees", () => {
    expect(listing("data")).toContain("r1 = map[first] ll");
    expect(listing("callbacks")).toContain("r2 = subprog[callback] ll");
    expect(listing("callbacks")).toContain("r3 = map[.rodata][0]+8 ll");
    expect(listing("calls")).toContain("call add_static");
    expect(listing("externs")).toContain("call kernel function 77");
  });
});

describe("helper names", () => {
  it.each([
    [1, "bpf_map_lookup_elem"],
    [5, "bpf_ktime_get_ns"],
    [130, "bpf_ringbuf_output"],
    [181, "bpf_loop"],
    [211, "bpf_cgrp_storage_delete"],
  ])("%d is %s", (id, name) => {
    expect(helperName(id)).toBe(name);
    expect(helperId(name)).toBe(id);
  });

  it("ends at 211 and starts at 1", () => {
    expect([helperName(0), helperName(212), helperName(-1)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(helperId("map_lookup_elem")).toBeUndefined();
  });
});
