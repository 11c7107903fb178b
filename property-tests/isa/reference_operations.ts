/** What the operations of RFC 9669 compute, on unsigned BigInt of at most 64 bits. */

import { ALU, ATOMIC, JUMP } from "#property-tests/isa/encoding.ts";

/** The low `bits` of `value`, sign-extended to 64 bits. */
export function signExtend(value: bigint, bits: number): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(bits, value));
}

/** The low `bits` of `value` with their bytes in opposite order. */
export function byteSwap(value: bigint, bits: number): bigint {
  let swapped = 0n;
  for (let at = 0n; at < BigInt(bits); at += 8n) {
    swapped = (swapped << 8n) | ((value >> at) & 0xffn);
  }
  return swapped;
}

/**
 * `dst operation= operand` in 32 or 64 bits; a 32-bit result leaves the upper half zero. `offset`
 * selects signed division and the width of a sign-extending move.
 */
export function arithmetic(
  operation: number,
  offset: number,
  bits: 32 | 64,
  dst: bigint,
  operand: bigint,
): bigint {
  const left = BigInt.asUintN(bits, dst);
  const right = BigInt.asUintN(bits, operand);
  return BigInt.asUintN(bits, exactArithmetic(operation, offset, bits, left, right));
}

function exactArithmetic(
  operation: number,
  offset: number,
  bits: 32 | 64,
  left: bigint,
  right: bigint,
): bigint {
  const signedLeft = BigInt.asIntN(bits, left);
  const signedRight = BigInt.asIntN(bits, right);
  const shift = right & BigInt(bits - 1);
  switch (operation) {
    case ALU.ADD:
      return left + right;
    case ALU.SUB:
      return left - right;
    case ALU.MUL:
      return left * right;
    case ALU.DIV:
      if (right === 0n) return 0n;
      return offset === 1 ? signedLeft / signedRight : left / right;
    case ALU.MOD:
      if (right === 0n) return left;
      return offset === 1 ? signedLeft % signedRight : left % right;
    case ALU.OR:
      return left | right;
    case ALU.AND:
      return left & right;
    case ALU.XOR:
      return left ^ right;
    case ALU.LSH:
      return left << shift;
    case ALU.RSH:
      return left >> shift;
    case ALU.ARSH:
      return signedLeft >> shift;
    case ALU.NEG:
      return -left;
    case ALU.MOV:
      return offset === 0 ? right : BigInt.asIntN(offset, right);
    default:
      throw new Error(`no arithmetic operation ${operation}`);
  }
}

/** Whether a conditional jump is taken. */
export function compare(operation: number, bits: 32 | 64, dst: bigint, operand: bigint): boolean {
  const left = BigInt.asUintN(bits, dst);
  const right = BigInt.asUintN(bits, operand);
  const signedLeft = BigInt.asIntN(bits, dst);
  const signedRight = BigInt.asIntN(bits, operand);
  switch (operation) {
    case JUMP.JEQ:
      return left === right;
    case JUMP.JNE:
      return left !== right;
    case JUMP.JSET:
      return (left & right) !== 0n;
    case JUMP.JGT:
      return left > right;
    case JUMP.JGE:
      return left >= right;
    case JUMP.JLT:
      return left < right;
    case JUMP.JLE:
      return left <= right;
    case JUMP.JSGT:
      return signedLeft > signedRight;
    case JUMP.JSGE:
      return signedLeft >= signedRight;
    case JUMP.JSLT:
      return signedLeft < signedRight;
    case JUMP.JSLE:
      return signedLeft <= signedRight;
    default:
      throw new Error(`no condition ${operation}`);
  }
}

/** What an atomic instruction leaves in memory that held `old`. */
export function atomicResult(
  imm: number,
  bits: number,
  old: bigint,
  src: bigint,
  expected: bigint,
): bigint {
  switch (imm) {
    case ATOMIC.XCHG:
      return src;
    case ATOMIC.CMPXCHG:
      return old === BigInt.asUintN(bits, expected) ? src : old;
    default:
      return simpleAtomicResult(imm & ~ATOMIC.FETCH, old, src);
  }
}

function simpleAtomicResult(operation: number, old: bigint, src: bigint): bigint {
  switch (operation) {
    case ATOMIC.ADD:
      return old + src;
    case ATOMIC.OR:
      return old | src;
    case ATOMIC.AND:
      return old & src;
    case ATOMIC.XOR:
      return old ^ src;
    default:
      throw new Error(`no atomic operation ${operation}`);
  }
}
