/**
 * Rewrites a program so that a verifier cannot know its constants: every LDDW and 64-bit MOV of an
 * immediate becomes a load from memory whose contents are unknown. What remains to be computed, the
 * machine must compute.
 */

import {
  ALU,
  CALL,
  CALL_HELPER,
  CLASS,
  decode,
  encode,
  type Instruction,
  JUMP,
  LDDW,
  MODE,
  SIZE,
  SOURCE,
} from "#property-tests/isa/encoding.ts";

const MOV_IMMEDIATE = CLASS.ALU64 | ALU.MOV | SOURCE.K;
/** Source of an LDDW that names the value of a map. */
const MAP_VALUE = 2;

export interface OpaqueProgram {
  readonly program: Uint8Array;
  /** 8 bytes a constant; the program reaches them with LDDW of source 2. */
  readonly constants: Uint8Array;
}

export function hideConstants(program: Uint8Array): OpaqueProgram {
  const code = decode(program);
  const constants: bigint[] = [];
  const pieces: Instruction[][] = [];
  /** Slot after the rewrite of what stood at each slot before. */
  const moved: number[] = [];
  let length = 0;
  for (let slot = 0; slot < code.length; slot++) {
    const instruction = code[slot]!;
    const piece = constantOf(instruction, code[slot + 1]);
    const replaced =
      piece === undefined
        ? [instruction]
        : loadConstant(instruction.dst, constants.push(piece) - 1);
    moved.push(length);
    if (instruction.opcode === LDDW) {
      moved.push(length);
      slot++;
      if (piece === undefined) replaced.push(code[slot]!);
    }
    pieces.push(replaced);
    length += replaced.length;
  }
  moved.push(length);
  return {
    program: encode(retarget(code, pieces, moved)),
    constants: new Uint8Array(BigUint64Array.from(constants).buffer),
  };
}

function constantOf(first: Instruction, second: Instruction | undefined): bigint | undefined {
  if (first.opcode === MOV_IMMEDIATE) return BigInt.asUintN(64, BigInt(first.imm));
  if (first.opcode !== LDDW || first.src !== 0 || second === undefined) return undefined;
  return BigInt.asUintN(64, (BigInt(second.imm) << 32n) | BigInt.asUintN(32, BigInt(first.imm)));
}

function loadConstant(register: number, index: number): Instruction[] {
  const load = CLASS.LDX | MODE.MEM | SIZE.DW;
  return [
    { opcode: LDDW, dst: register, src: MAP_VALUE, offset: 0, imm: 0 },
    { opcode: 0, dst: 0, src: 0, offset: 0, imm: index * 8 },
    { opcode: load, dst: register, src: register, offset: 0, imm: 0 },
  ];
}

/** Jumps and local calls go to where their targets moved. */
function retarget(
  code: readonly Instruction[],
  pieces: readonly (readonly Instruction[])[],
  moved: readonly number[],
): Instruction[] {
  const result: Instruction[] = [];
  let slot = 0;
  for (const piece of pieces) {
    const before = code[slot]!;
    const field = targetField(before);
    if (field === undefined) {
      result.push(...piece);
    } else {
      const target = moved[slot + 1 + before[field]]!;
      result.push({ ...before, [field]: target - (result.length + 1) });
    }
    slot += before.opcode === LDDW ? 2 : 1;
  }
  return result;
}

function targetField({ opcode, src }: Instruction): "offset" | "imm" | undefined {
  const kind = opcode & 0x07;
  const operation = opcode & 0xf0;
  if (kind !== CLASS.JMP && kind !== CLASS.JMP32) return undefined;
  if (operation === JUMP.EXIT) return undefined;
  if (operation === JUMP.CALL) {
    return opcode === CALL_HELPER && src === CALL.LOCAL ? "imm" : undefined;
  }
  return kind === CLASS.JMP32 && operation === JUMP.JA ? "imm" : "offset";
}
