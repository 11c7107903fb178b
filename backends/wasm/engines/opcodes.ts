/** Fields of opcodes (RFC 9669) as engines take them apart. */
import { CLASS, type Instruction, OPCODE } from "#wasm/loader/instructions.ts";

/** High four bits of arithmetic opcodes. */
export const ALU = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  NEG: 0x80,
  MOD: 0x90,
  XOR: 0xa0,
  MOV: 0xb0,
  ARSH: 0xc0,
  END: 0xd0,
} as const;

/** High four bits of jump opcodes that are no comparison. */
export const JUMP = { JA: 0x00, CALL: 0x80, EXIT: 0x90, MAY_GOTO: 0xe0 } as const;

/** High three bits of load and store opcodes. */
export const MODE = {
  IMM: 0x00,
  ABS: 0x20,
  IND: 0x40,
  MEM: 0x60,
  MEMSX: 0x80,
  ATOMIC: 0xc0,
} as const;

/** `imm` of atomic instructions. */
export const ATOMIC = {
  ADD: 0x00,
  OR: 0x40,
  AND: 0x50,
  XOR: 0xa0,
  FETCH: 0x01,
  XCHG: 0xe1,
  CMPXCHG: 0xf1,
  LOAD_ACQUIRE: 0x100,
  STORE_RELEASE: 0x110,
} as const;

/** Bit 3 of arithmetic and jump opcodes: the operand is the source register. */
export const SOURCE_REGISTER = 0x08;

export const instructionClass = (instruction: Instruction): number => instruction.opcode & 0x07;
export const operation = (instruction: Instruction): number => instruction.opcode & 0xf0;
export const mode = (instruction: Instruction): number => instruction.opcode & 0xe0;
export const usesSourceRegister = (instruction: Instruction): boolean =>
  (instruction.opcode & SOURCE_REGISTER) !== 0;

const SIZES = [4, 2, 1, 8] as const;

/** Bytes that a load or store moves. */
export const accessSize = (instruction: Instruction): 1 | 2 | 4 | 8 =>
  SIZES[(instruction.opcode >>> 3) & 3]!;

/** Whether control never goes on with the next instruction. */
export function endsBlock({ opcode }: Instruction): boolean {
  return opcode === OPCODE.EXIT || opcode === OPCODE.JA || opcode === OPCODE.JA32;
}

/** Slots from the following instruction to where a jump goes; undefined where nothing jumps. */
export function jumpDistance(instruction: Instruction): number | undefined {
  const kind = instructionClass(instruction);
  if (kind !== CLASS.JMP && kind !== CLASS.JMP32) return undefined;
  if (instruction.opcode === OPCODE.JA32) return instruction.imm;
  const op = operation(instruction);
  return op === JUMP.CALL || op === JUMP.EXIT ? undefined : instruction.offset;
}
