/** What loads and arithmetic make of what is known of their operands. */
import type { Instruction } from "#wasm/loader/instructions.ts";
import { ALU, operation, usesSourceRegister } from "./opcodes.ts";
import {
  constant,
  isConstant,
  RANGE,
  range,
  truncate,
  U32,
  UNKNOWN,
  type ValueRange,
} from "./value_range.ts";

const UNSIGNED = [1, 2, 4].map((size) => range(0, 2 ** (8 * size) - 1));
const SIGNED = [1, 2, 4].map((size) => range(-(2 ** (8 * size - 1)), 2 ** (8 * size - 1) - 1));

/** A value of `size` bytes from memory, extended to 64 bits. */
export function loaded(size: number, signed: boolean): ValueRange {
  return (signed ? SIGNED : UNSIGNED)[size >>> 1] ?? UNKNOWN;
}

function operandOf(instruction: Instruction, registers: readonly ValueRange[]): ValueRange {
  return usesSourceRegister(instruction) ? registers[instruction.src]! : constant(instruction.imm);
}

export function arithmetic64(
  instruction: Instruction,
  registers: readonly ValueRange[],
): ValueRange {
  const value = registers[instruction.dst]!;
  const operand = operandOf(instruction, registers);
  const shift = isConstant(operand) ? operand.low & 63 : undefined;
  const signed = instruction.offset !== 0;
  switch (operation(instruction)) {
    case ALU.MOV:
      return signed ? loaded(instruction.offset / 8, true) : operand;
    case ALU.ADD:
      return RANGE.add(value, operand);
    case ALU.SUB:
      return RANGE.subtract(value, operand);
    case ALU.AND:
      return RANGE.and(value, operand);
    case ALU.OR:
    case ALU.XOR:
      return RANGE.or(value, operand);
    case ALU.MUL:
      return RANGE.multiply(value, operand);
    case ALU.DIV:
      return signed ? UNKNOWN : RANGE.divide(value);
    case ALU.MOD:
      return signed ? UNKNOWN : RANGE.modulo(value, operand);
    case ALU.LSH:
      return shift === undefined ? UNKNOWN : RANGE.shiftLeft(value, shift);
    case ALU.RSH:
      return shift === undefined ? UNKNOWN : RANGE.shiftRight(value, shift);
    case ALU.ARSH:
      return value.low >= 0 && shift !== undefined ? RANGE.shiftRight(value, shift) : UNKNOWN;
    case ALU.END:
      return instruction.imm < 64 ? range(0, 2 ** instruction.imm - 1) : UNKNOWN;
    default:
      return UNKNOWN;
  }
}

export function arithmetic32(
  instruction: Instruction,
  registers: readonly ValueRange[],
): ValueRange {
  const value = truncate(registers[instruction.dst]!);
  const operand = usesSourceRegister(instruction)
    ? truncate(registers[instruction.src]!)
    : constant(instruction.imm >>> 0);
  const shift = isConstant(operand) ? operand.low & 31 : undefined;
  const signed = instruction.offset !== 0;
  switch (operation(instruction)) {
    case ALU.MOV:
      return signed ? U32 : operand;
    case ALU.AND:
      return RANGE.and(value, operand);
    case ALU.RSH:
      return shift === undefined ? U32 : RANGE.shiftRight(value, shift);
    case ALU.MOD:
      return signed ? U32 : truncate(RANGE.modulo(value, operand));
    case ALU.END:
      return instruction.imm < 64 ? range(0, 2 ** instruction.imm - 1) : UNKNOWN;
    default:
      return U32;
  }
}
