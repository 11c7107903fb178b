/**
 * Cases that must be refused and that no assembly expresses: fields that should be zero, opcodes that
 * do not exist, operands that an instruction does not take. One case for every kind of instruction;
 * `invalid_instructions.ts` enumerates the rest.
 */

import {
  ALU,
  ATOMIC,
  CALL_HELPER,
  CALL_REGISTER,
  CLASS,
  EXIT,
  encode,
  type Instruction,
  JUMP,
  LDDW,
  MODE,
  SIZE,
  SLOT_BYTES,
  SOURCE,
} from "#property-tests/isa/encoding.ts";
import { GENERATED, type GeneratedCase } from "#property-tests/isa/generate/case_text.ts";

type Fields = Partial<Instruction> & { readonly opcode: number };

const MOV_R0 = { opcode: CLASS.ALU64 | ALU.MOV };
const STORE_ZERO = { opcode: CLASS.ST | MODE.MEM | SIZE.DW, dst: 10, offset: -8 };
const END_OF_PROGRAM = { opcode: EXIT };

/** Valid instructions, and the fields that they do not use. */
const UNUSED_FIELDS: readonly (readonly [string, Fields, readonly (keyof Instruction)[]])[] = [
  ["add32-immediate", { opcode: CLASS.ALU | ALU.ADD }, ["src", "offset"]],
  ["add32-register", { opcode: CLASS.ALU | ALU.ADD | SOURCE.X }, ["offset", "imm"]],
  ["add-immediate", { opcode: CLASS.ALU64 | ALU.ADD }, ["src", "offset"]],
  ["add-register", { opcode: CLASS.ALU64 | ALU.ADD | SOURCE.X }, ["offset", "imm"]],
  ["mov-immediate", { opcode: CLASS.ALU64 | ALU.MOV }, ["src", "offset"]],
  ["mov-register", { opcode: CLASS.ALU64 | ALU.MOV | SOURCE.X }, ["offset", "imm"]],
  ["neg", { opcode: CLASS.ALU64 | ALU.NEG }, ["src", "offset", "imm"]],
  ["neg32", { opcode: CLASS.ALU | ALU.NEG }, ["src", "offset", "imm"]],
  ["le16", { opcode: CLASS.ALU | ALU.END, imm: 16 }, ["src", "offset"]],
  ["be16", { opcode: CLASS.ALU | ALU.END | SOURCE.X, imm: 16 }, ["src", "offset"]],
  ["bswap16", { opcode: CLASS.ALU64 | ALU.END, imm: 16 }, ["src", "offset"]],
  ["ja", { opcode: CLASS.JMP | JUMP.JA }, ["dst", "src", "imm"]],
  ["ja32", { opcode: CLASS.JMP32 | JUMP.JA }, ["dst", "src", "offset"]],
  ["jeq-immediate", { opcode: CLASS.JMP | JUMP.JEQ }, ["src"]],
  ["jeq-register", { opcode: CLASS.JMP | JUMP.JEQ | SOURCE.X }, ["imm"]],
  ["jeq32-immediate", { opcode: CLASS.JMP32 | JUMP.JEQ }, ["src"]],
  ["jeq32-register", { opcode: CLASS.JMP32 | JUMP.JEQ | SOURCE.X }, ["imm"]],
  ["call-helper", { opcode: CALL_HELPER, imm: 5 }, ["dst", "offset"]],
  ["exit", { opcode: EXIT }, ["dst", "src", "offset", "imm"]],
  ["ldxw", { opcode: CLASS.LDX | MODE.MEM | SIZE.W, src: 10, offset: -8 }, ["imm"]],
  ["ldxdw", { opcode: CLASS.LDX | MODE.MEM | SIZE.DW, src: 10, offset: -8 }, ["imm"]],
  ["ldxsw", { opcode: CLASS.LDX | MODE.MEMSX | SIZE.W, src: 10, offset: -8 }, ["imm"]],
  ["stw", { opcode: CLASS.ST | MODE.MEM | SIZE.W, dst: 10, offset: -8 }, ["src"]],
  ["stdw", { opcode: CLASS.ST | MODE.MEM | SIZE.DW, dst: 10, offset: -8 }, ["src"]],
  ["stxw", { opcode: CLASS.STX | MODE.MEM | SIZE.W, dst: 10, offset: -8 }, ["imm"]],
  ["stxdw", { opcode: CLASS.STX | MODE.MEM | SIZE.DW, dst: 10, offset: -8 }, ["imm"]],
];

/** Single instructions that do not exist. */
const NO_INSTRUCTIONS: readonly (readonly [string, Fields])[] = [
  ["opcode-0xff", { opcode: 0xff }],
  ["opcode-0x06-register", { opcode: CLASS.JMP32 | JUMP.JA | SOURCE.X }],
  ["opcode-call-in-jmp32", { opcode: CLASS.JMP32 | JUMP.CALL, imm: 5 }],
  ["opcode-exit-in-jmp32", { opcode: CLASS.JMP32 | JUMP.EXIT }],
  ["opcode-exit-register", { opcode: EXIT | SOURCE.X }],
  ["opcode-neg-register", { opcode: CLASS.ALU64 | ALU.NEG | SOURCE.X }],
  ["opcode-neg32-register", { opcode: CLASS.ALU | ALU.NEG | SOURCE.X }],
  ["opcode-alu-e0", { opcode: CLASS.ALU | 0xe0 }],
  ["opcode-alu64-f0", { opcode: CLASS.ALU64 | 0xf0 }],
  ["opcode-bswap-register", { opcode: CLASS.ALU64 | ALU.END | SOURCE.X, imm: 16 }],
  ["opcode-ldxsdw", { opcode: CLASS.LDX | MODE.MEMSX | SIZE.DW, src: 10, offset: -8 }],
  ["opcode-ldx-atomic", { opcode: CLASS.LDX | MODE.ATOMIC | SIZE.DW, src: 10, offset: -8 }],
  ["opcode-stx-imm-mode", { opcode: CLASS.STX | MODE.IMM | SIZE.DW, dst: 10, offset: -8 }],
  ["opcode-st-memsx", { opcode: CLASS.ST | MODE.MEMSX | SIZE.W, dst: 10, offset: -8 }],
  ["endian-width-0", { opcode: CLASS.ALU | ALU.END, imm: 0 }],
  ["endian-width-8", { opcode: CLASS.ALU | ALU.END | SOURCE.X, imm: 8 }],
  ["endian-width-128", { opcode: CLASS.ALU | ALU.END, imm: 128 }],
  ["endian-width-negative", { opcode: CLASS.ALU | ALU.END, imm: -16 }],
  ["bswap-width-24", { opcode: CLASS.ALU64 | ALU.END, imm: 24 }],
  ["movsx-width-24", { opcode: CLASS.ALU64 | ALU.MOV | SOURCE.X, offset: 24 }],
  ["movsx3232", { opcode: CLASS.ALU | ALU.MOV | SOURCE.X, offset: 32 }],
  ["movsx6464", { opcode: CLASS.ALU64 | ALU.MOV | SOURCE.X, offset: 64 }],
  ["movsx-immediate", { opcode: CLASS.ALU64 | ALU.MOV, offset: 8 }],
  ["sdiv-offset-2", { opcode: CLASS.ALU64 | ALU.DIV, offset: 2, imm: 3 }],
  ["smod32-offset-minus-1", { opcode: CLASS.ALU | ALU.MOD, offset: -1, imm: 3 }],
  ["atomic-xchg-without-fetch", atomic(SIZE.DW, ATOMIC.XCHG & ~ATOMIC.FETCH)],
  ["atomic-cmpxchg-without-fetch", atomic(SIZE.DW, ATOMIC.CMPXCHG & ~ATOMIC.FETCH)],
  ["atomic-xchg32-without-fetch", atomic(SIZE.W, ATOMIC.XCHG & ~ATOMIC.FETCH)],
  ["atomic-cmpxchg32-without-fetch", atomic(SIZE.W, ATOMIC.CMPXCHG & ~ATOMIC.FETCH)],
  ["atomic-subtract", atomic(SIZE.DW, 0x10)],
  ["atomic-imm-2", atomic(SIZE.W, 0x02)],
  ["atomic-add-high-bits", atomic(SIZE.DW, 0x10000)],
  ["atomic-add-negative-imm", atomic(SIZE.DW, -0x80000000)],
  ["atomic-load-acquire-fetch", atomic(SIZE.DW, ATOMIC.LOAD_ACQUIRE | ATOMIC.FETCH)],
  ["atomic-add8", atomic(SIZE.B, ATOMIC.ADD)],
  ["atomic-xchg16", atomic(SIZE.H, ATOMIC.XCHG)],
  ["lddw-map-by-fd", { opcode: LDDW, src: 1, imm: 1_000_000 }],
  ["lddw-map-value-by-fd", { opcode: LDDW, src: 2, imm: 1_000_000 }],
  ["lddw-variable", { opcode: LDDW, src: 3, imm: 1_000_000 }],
  ["lddw-code-address", { opcode: LDDW, src: 4, imm: 1_000_000 }],
  ["lddw-map-by-index", { opcode: LDDW, src: 5, imm: 1_000_000 }],
  ["lddw-map-value-by-index", { opcode: LDDW, src: 6, imm: 1_000_000 }],
  ["lddw-source-7", { opcode: LDDW, src: 7 }],
  ["lddw-offset", { opcode: LDDW, offset: 1 }],
  ["call-source-3", { opcode: CALL_HELPER, src: 3, imm: 5 }],
  ["call-runtime", { opcode: CALL_HELPER, src: 2, imm: 0x7fff_ffff }],
  ["callx-src", { opcode: CALL_REGISTER, src: 1 }],
  ["callx-offset", { opcode: CALL_REGISTER, offset: 1 }],
  ["callx-imm", { opcode: CALL_REGISTER, imm: 1 }],
  ["packet-absolute-byte", { opcode: CLASS.LD | MODE.ABS | SIZE.B }],
  ["packet-absolute-half", { opcode: CLASS.LD | MODE.ABS | SIZE.H }],
  ["packet-absolute-word", { opcode: CLASS.LD | MODE.ABS | SIZE.W }],
  ["packet-indirect-byte", { opcode: CLASS.LD | MODE.IND | SIZE.B }],
  ["packet-indirect-half", { opcode: CLASS.LD | MODE.IND | SIZE.H }],
  ["packet-indirect-word", { opcode: CLASS.LD | MODE.IND | SIZE.W }],
];

/** What may not stand in the second slot of LDDW. */
const SECOND_SLOTS: readonly (readonly [string, Fields])[] = [
  ["opcode", { opcode: CLASS.ALU64 | ALU.MOV }],
  ["dst", { opcode: 0, dst: 1 }],
  ["src", { opcode: 0, src: 1 }],
  ["offset", { opcode: 0, offset: 1 }],
];

function atomic(size: number, imm: number): Fields {
  return { opcode: CLASS.STX | MODE.ATOMIC | size, dst: 10, offset: -8, imm };
}

export function* negativeCases(): Generator<GeneratedCase> {
  for (const [name, valid, fields] of UNUSED_FIELDS) {
    for (const field of fields) {
      const title = `${name.replace("-", " with ")} leaves ${field} unused: it must be zero`;
      const notes = name === "exit" && field === "offset" ? ["# kernel: accepts, no check"] : [];
      yield refused(`unused-${name}-${field}`, title, [{ ...valid, [field]: 2 }], notes);
    }
  }
  for (const [name, fields] of NO_INSTRUCTIONS) {
    const wide = fields.opcode === LDDW ? [fields, { opcode: 0 }] : [fields];
    yield refused(name, `no such instruction, ${name.replaceAll("-", " ")}`, wide);
  }
  for (const [field, second] of SECOND_SLOTS) {
    const title = `the second slot of lddw holds an immediate, no ${field}`;
    yield refused(`lddw-second-slot-${field}`, title, [{ opcode: LDDW }, second]);
  }
}

/** r0 is 0, the 8 bytes below r10 are 0; then what must be refused; then exit, unless it is one. */
function refused(
  name: string,
  title: string,
  fields: readonly Fields[],
  notes: readonly string[] = [],
): GeneratedCase {
  const end = fields.some(({ opcode }) => opcode === EXIT) ? [] : [END_OF_PROGRAM];
  const slots = [MOV_R0, STORE_ZERO, ...fields, ...end];
  const bytes = encode(slots.map((slot) => ({ dst: 0, src: 0, offset: 0, imm: 0, ...slot })));
  const view = new DataView(bytes.buffer);
  const words = slots.map((_, slot) => view.getBigUint64(slot * SLOT_BYTES, true));
  const lines = words.map((word) => `0x${word.toString(16).padStart(16, "0")}`);
  const heading = [`${GENERATED}${title}`, ...notes];
  const text = [...heading, "-- raw", ...lines, "-- error", "invalid instruction"];
  return { name: `negative/${name}`, text: `${text.join("\n")}\n` };
}
