/** Cases for atomic instructions: every operation and width, with and without FETCH. */

import { ATOMIC } from "#property-tests/isa/encoding.ts";
import {
  CaseText,
  type GeneratedCase,
  rotateRegisters,
} from "#property-tests/isa/generate/case_text.ts";
import { atomicResult } from "#property-tests/isa/reference_operations.ts";

const MIXED = 0x0123_4567_89ab_cdefn;
const ONES = 0xffff_ffff_ffff_ffffn;

const OPERATIONS: readonly (readonly [string, number])[] = [
  ["add", ATOMIC.ADD],
  ["or", ATOMIC.OR],
  ["and", ATOMIC.AND],
  ["xor", ATOMIC.XOR],
  ["fetch add", ATOMIC.ADD | ATOMIC.FETCH],
  ["fetch or", ATOMIC.OR | ATOMIC.FETCH],
  ["fetch and", ATOMIC.AND | ATOMIC.FETCH],
  ["fetch xor", ATOMIC.XOR | ATOMIC.FETCH],
  ["xchg", ATOMIC.XCHG],
];

/** Memory before, and the source register; halves differ so that a wrong width shows. */
const OPERANDS: readonly (readonly [bigint, bigint])[] = [
  [0xffff_ffff_ffff_ffffn, 1n],
  [0x7fff_ffff_8000_0000n, ONES],
  [MIXED, 0xfedc_ba98_7654_3210n],
];

/** Replaces the accessed part of the 8 bytes that start at the address. */
function merge(before: bigint, bits: number, value: bigint): bigint {
  const mask = BigInt.asUintN(bits, ONES);
  return (before & ~mask & ONES) | (value & mask);
}

export function* atomicCases(): Generator<GeneratedCase> {
  for (const bits of [32, 64] as const) {
    const suffix = bits === 32 ? "32" : "";
    const folder = `atomic${bits}`;
    for (const [name, imm] of OPERATIONS) {
      const file = `${folder}/${name.replace(" ", "-")}${suffix}`;
      yield onStack(`lock ${name}${suffix}`, imm, bits).finish(file);
      yield onMemory(`lock ${name}${suffix}`, imm, bits).finish(`${file}-memory`);
    }
    yield compareExchange(bits).finish(`${folder}/cmpxchg${suffix}`);
    yield compareExchangeAliased(bits).finish(`${folder}/cmpxchg${suffix}-source-r0`);
  }
}

function onStack(mnemonic: string, imm: number, bits: 32 | 64): CaseText {
  const text = new CaseText(`${mnemonic} on the stack: memory and source register afterwards`);
  OPERANDS.forEach(([before, source], index) => {
    const [a, b, c] = rotateRegisters(index);
    const old = BigInt.asUintN(bits, before);
    const after = merge(before, bits, atomicResult(imm, bits, old, source, 0n));
    const fetches = (imm & ATOMIC.FETCH) !== 0;
    text.constant(a, before).add(`stxdw [%r10-8], %r${a}`).constant(b, source);
    text.add(`${mnemonic} [%r10-8], %r${b}`).expect(b, fetches ? old : source, c);
    text.add(`ldxdw %r${a}, [%r10-8]`).expect(a, after, c);
  });
  return text;
}

/** Through a pointer, at an offset on either side; the neighbours stay as they were. */
function onMemory(mnemonic: string, imm: number, bits: 32 | 64): CaseText {
  const neighbour = 0x8888_8888_8888_8888n;
  const text = new CaseText(`${mnemonic} in memory, at both signs of the offset`);
  text.memory("88 88 88 88 88 88 88 88 ef cd ab 89 67 45 23 01 88 88 88 88 88 88 88 88");
  text.add("mov %r6, %r1", "mov %r7, %r1", "add %r7, 16");
  let value = MIXED;
  for (const [pointer, source] of [
    ["%r6+8", 0x1111_1111_8000_0001n],
    ["%r7-8", 0xffff_ffff_7fff_ffffn],
  ] as const) {
    value = merge(value, bits, atomicResult(imm, bits, BigInt.asUintN(bits, value), source, 0n));
    text.constant(3, source).add(`${mnemonic} [${pointer}], %r3`, "ldxdw %r0, [%r6+8]");
    text.expect(0, value, 4);
  }
  text.add("ldxdw %r0, [%r6+0]").expect(0, neighbour, 4);
  return text.add("ldxdw %r0, [%r6+16]").expect(0, neighbour, 4);
}

/** r0 equal, different, and equal in its low half only. */
function compareExchange(bits: 32 | 64): CaseText {
  const suffix = bits === 32 ? "32" : "";
  const text = new CaseText(
    `lock cmpxchg${suffix}: r0 is the old value, zero-extended, either way`,
  );
  const source = 0x1122_3344_5566_7788n;
  for (const expected of [MIXED, MIXED ^ 1n, MIXED ^ (ONES << 32n), 0n]) {
    const old = BigInt.asUintN(bits, MIXED);
    const after = merge(MIXED, bits, atomicResult(ATOMIC.CMPXCHG, bits, old, source, expected));
    text.constant(1, MIXED).add("stxdw [%r10-16], %r1").constant(2, source).constant(0, expected);
    text.add(`lock cmpxchg${suffix} [%r10-16], %r2`).expect(0, old, 3).expect(2, source, 3);
    text.add("ldxdw %r4, [%r10-16]").expect(4, after, 3);
  }
  return text;
}

function compareExchangeAliased(bits: 32 | 64): CaseText {
  const suffix = bits === 32 ? "32" : "";
  const text = new CaseText(`lock cmpxchg${suffix} whose source is r0 itself`);
  for (const expected of [MIXED, 7n]) {
    const old = BigInt.asUintN(bits, MIXED);
    const after = merge(MIXED, bits, atomicResult(ATOMIC.CMPXCHG, bits, old, expected, expected));
    text.constant(1, MIXED).add("stxdw [%r10-8], %r1").constant(0, expected);
    text.add(`lock cmpxchg${suffix} [%r10-8], %r0`).expect(0, old, 3);
    text.add("ldxdw %r4, [%r10-8]").expect(4, after, 3);
  }
  return text;
}
