/** What a register surely holds: a number, a place in the frame, or a place in read-only data. */

import { ALU, operation } from "#wasm/engines/opcodes.ts";
import { CLASS, type Instruction } from "./instructions.ts";

export type KnownValue =
  /** 64 unsigned bits. */
  | { readonly kind: "number"; readonly value: bigint }
  /** The frame pointer plus `offset` bytes. */
  | { readonly kind: "frame"; readonly offset: number }
  /** Byte `offset` of the value of a map of global data. */
  | { readonly kind: "data"; readonly map: string; readonly offset: number };

/** `undefined` is "anything". */
export type Value = KnownValue | undefined;

export function numberValue(value: bigint): KnownValue {
  return { kind: "number", value: BigInt.asUintN(64, value) };
}

export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.kind !== b.kind) return false;
  if (a.kind === "number") return a.value === (b as typeof a).value;
  if (a.kind === "frame") return a.offset === (b as typeof a).offset;
  return a.map === (b as typeof a).map && a.offset === (b as typeof a).offset;
}

/** Result of an arithmetic instruction on known operands. */
export function arithmeticValue(instruction: Instruction, left: Value, right: Value): Value {
  const wide = (instruction.opcode & 7) === CLASS.ALU64;
  const op = operation(instruction);
  if (op === ALU.MOV) {
    if (instruction.offset !== 0) return undefined;
    return wide ? right : truncated(right);
  }
  if (left === undefined || right?.kind !== "number") return undefined;
  if (left.kind !== "number") {
    if (!wide || (op !== ALU.ADD && op !== ALU.SUB)) return undefined;
    const distance = Number(BigInt.asIntN(64, right.value));
    if (!Number.isSafeInteger(distance)) return undefined;
    return { ...left, offset: left.offset + (op === ALU.ADD ? distance : -distance) };
  }
  const result = numberResult(op, left.value, right.value, wide ? 64 : 32);
  return result === undefined ? undefined : numberValue(result);
}

function truncated(value: Value): Value {
  return value?.kind === "number" ? numberValue(BigInt.asUintN(32, value.value)) : undefined;
}

function numberResult(op: number, a: bigint, b: bigint, bits: 32 | 64): bigint | undefined {
  const left = BigInt.asUintN(bits, a);
  const right = BigInt.asUintN(bits, b);
  const shift = right & BigInt(bits - 1);
  const wrap = (value: bigint) => BigInt.asUintN(bits, value);
  switch (op) {
    case ALU.ADD:
      return wrap(left + right);
    case ALU.SUB:
      return wrap(left - right);
    case ALU.MUL:
      return wrap(left * right);
    case ALU.OR:
      return left | right;
    case ALU.AND:
      return left & right;
    case ALU.XOR:
      return left ^ right;
    case ALU.LSH:
      return wrap(left << shift);
    case ALU.RSH:
      return left >> shift;
    case ALU.ARSH:
      return wrap(BigInt.asIntN(bits, left) >> shift);
    default:
      return undefined;
  }
}

/** Whether a conditional jump is taken; undefined where that is not known. */
export function comparisonResult(
  instruction: Instruction,
  left: Value,
  right: Value,
): boolean | undefined {
  if (left?.kind !== "number" || right?.kind !== "number") return undefined;
  const bits = (instruction.opcode & 7) === CLASS.JMP ? 64 : 32;
  const a = BigInt.asUintN(bits, left.value);
  const b = BigInt.asUintN(bits, right.value);
  const signedA = BigInt.asIntN(bits, left.value);
  const signedB = BigInt.asIntN(bits, right.value);
  switch (operation(instruction)) {
    case 0x10:
      return a === b;
    case 0x20:
      return a > b;
    case 0x30:
      return a >= b;
    case 0x40:
      return (a & b) !== 0n;
    case 0x50:
      return a !== b;
    case 0x60:
      return signedA > signedB;
    case 0x70:
      return signedA >= signedB;
    case 0xa0:
      return a < b;
    case 0xb0:
      return a <= b;
    case 0xc0:
      return signedA < signedB;
    case 0xd0:
      return signedA <= signedB;
    default:
      return undefined;
  }
}
