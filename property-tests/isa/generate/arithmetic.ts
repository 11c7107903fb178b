/** Cases for arithmetic: every operation, width and operand form, at the edges of its operands. */

import { ALU } from "#property-tests/isa/encoding.ts";
import {
  CaseText,
  decimalOrHex,
  type GeneratedCase,
  rotateRegisters,
} from "#property-tests/isa/generate/case_text.ts";
import { arithmetic, byteSwap } from "#property-tests/isa/reference_operations.ts";

type Bits = 32 | 64;
type Pair = readonly [dst: bigint, operand: bigint];

interface Operation {
  readonly name: string;
  readonly code: number;
  /** Offset of the instruction: 1 makes divisions signed. */
  readonly offset: number;
  readonly folders: Readonly<Record<Bits, string>>;
  readonly registers: Readonly<Record<Bits, readonly Pair[]>>;
  readonly immediates: Readonly<Record<Bits, readonly Pair[]>>;
}

const MIN64 = 0x8000_0000_0000_0000n;
const MAX64 = 0x7fff_ffff_ffff_ffffn;
const ONES = 0xffff_ffff_ffff_ffffn;
const MIXED = 0x0123_4567_89ab_cdefn;

/** Upper halves hold garbage that a 32-bit operation must neither use nor keep. */
const WRAPPING: Pick<Operation, "registers" | "immediates"> = {
  registers: {
    64: [
      [MAX64, 1n],
      [MIN64, ONES],
      [ONES, ONES],
      [0xffff_ffffn, 0x1_0000_0001n],
      [MIXED, 0xfedc_ba98_7654_3210n],
    ],
    32: [
      [0xaaaa_aaaa_7fff_ffffn, 0x5555_5555_0000_0001n],
      [0xaaaa_aaaa_8000_0000n, 0x5555_5555_ffff_ffffn],
      [ONES, ONES],
      [0x1_0000_0000n, 0x1_0000_0000n],
      [MIXED, 0xfedc_ba98_7654_3210n],
    ],
  },
  immediates: {
    64: [
      [MAX64, 1n],
      [MIN64, -1n],
      [ONES, 0x7fff_ffffn],
      [0xffff_ffffn, -0x8000_0000n],
      [MIXED, -0x1234_5678n],
    ],
    32: [
      [0xaaaa_aaaa_7fff_ffffn, 1n],
      [0xaaaa_aaaa_8000_0000n, -1n],
      [ONES, 0x7fff_ffffn],
      [0x1_0000_0000n, -0x8000_0000n],
      [MIXED, -0x1234_5678n],
    ],
  },
};

const UNSIGNED_DIVISION: Pick<Operation, "registers" | "immediates"> = {
  registers: {
    64: [
      [100n, 7n],
      [ONES, 2n],
      [MIN64, ONES],
      [ONES, MIN64],
      [MIXED, 0n],
      [0xffff_ffff_0000_0000n, 0xffff_ffffn],
    ],
    32: [
      [0xaaaa_aaaa_0000_0064n, 0x5555_5555_0000_0007n],
      [ONES, 2n],
      [0xaaaa_aaaa_8000_0000n, ONES],
      [ONES, 0x8000_0000n],
      [MIXED, 0n],
      // The divisor's low half is zero: its upper half must not save it.
      [MIXED, 0x1_0000_0000n],
    ],
  },
  immediates: {
    64: [
      [100n, 7n],
      [ONES, 2n],
      // The immediate is sign-extended, then unsigned.
      [ONES, -1n],
      [0xffff_ffffn, -1n],
      [MIXED, -0x8000_0000n],
    ],
    32: [
      [0xaaaa_aaaa_0000_0064n, 7n],
      [ONES, 2n],
      [0xaaaa_aaaa_ffff_ffffn, -1n],
      [0x7fff_ffffn, -1n],
      [MIXED, -0x8000_0000n],
    ],
  },
};

const SIGNED_DIVISION: Pick<Operation, "registers" | "immediates"> = {
  registers: {
    64: [
      [-13n, 3n],
      [13n, -3n],
      [-13n, -3n],
      [MIN64, ONES],
      [MIN64, 1n],
      [-13n, 0n],
    ],
    32: [
      [0xaaaa_aaaa_ffff_fff3n, 0x5555_5555_0000_0003n],
      [13n, -3n],
      [-13n, -3n],
      [0x7fff_ffff_8000_0000n, 0xffff_ffffn],
      [0x1_8000_0000n, 1n],
      [-13n, 0x1_0000_0000n],
    ],
  },
  immediates: {
    64: [
      [-13n, 3n],
      [13n, -3n],
      [-13n, -3n],
      [MIN64, -1n],
      [MIN64, 0x7fff_ffffn],
      [MAX64, -0x8000_0000n],
    ],
    32: [
      [0xaaaa_aaaa_ffff_fff3n, 3n],
      [13n, -3n],
      [-13n, -3n],
      [0x7fff_ffff_8000_0000n, -1n],
      [0x1_8000_0000n, 0x7fff_ffffn],
      [0x1_7fff_ffffn, -0x8000_0000n],
    ],
  },
};

const SHIFT: Pick<Operation, "registers" | "immediates"> = {
  registers: {
    64: [0n, 1n, 31n, 32n, 63n, 64n, 65n, 0x1_0000_0004n, ONES].map((count) => [
      0x8123_4567_89ab_cdefn,
      count,
    ]),
    32: [0n, 1n, 31n, 32n, 33n, 63n, 0x1_0000_0004n, ONES].map((count) => [
      0x5555_5555_89ab_cdefn,
      count,
    ]),
  },
  immediates: {
    64: [0n, 1n, 31n, 32n, 63n].map((count) => [0x8123_4567_89ab_cdefn, count]),
    32: [0n, 1n, 8n, 31n].map((count) => [0x5555_5555_89ab_cdefn, count]),
  },
};

const BASE = { 32: "base32", 64: "base64" };
const DIVMUL = { 32: "divmul32", 64: "divmul64" };
const V4 = { 32: "v4", 64: "v4" };

const OPERATIONS: readonly Operation[] = [
  { name: "add", code: ALU.ADD, offset: 0, folders: BASE, ...WRAPPING },
  { name: "sub", code: ALU.SUB, offset: 0, folders: BASE, ...WRAPPING },
  { name: "or", code: ALU.OR, offset: 0, folders: BASE, ...WRAPPING },
  { name: "and", code: ALU.AND, offset: 0, folders: BASE, ...WRAPPING },
  { name: "xor", code: ALU.XOR, offset: 0, folders: BASE, ...WRAPPING },
  { name: "mov", code: ALU.MOV, offset: 0, folders: BASE, ...WRAPPING },
  { name: "lsh", code: ALU.LSH, offset: 0, folders: BASE, ...SHIFT },
  { name: "rsh", code: ALU.RSH, offset: 0, folders: BASE, ...SHIFT },
  { name: "arsh", code: ALU.ARSH, offset: 0, folders: BASE, ...SHIFT },
  { name: "mul", code: ALU.MUL, offset: 0, folders: DIVMUL, ...WRAPPING },
  { name: "div", code: ALU.DIV, offset: 0, folders: DIVMUL, ...UNSIGNED_DIVISION },
  { name: "mod", code: ALU.MOD, offset: 0, folders: DIVMUL, ...UNSIGNED_DIVISION },
  { name: "sdiv", code: ALU.DIV, offset: 1, folders: V4, ...SIGNED_DIVISION },
  { name: "smod", code: ALU.MOD, offset: 1, folders: V4, ...SIGNED_DIVISION },
];

export function* arithmeticCases(): Generator<GeneratedCase> {
  for (const operation of OPERATIONS) {
    for (const bits of [32, 64] as const) {
      yield* binaryCases(operation, bits);
      yield* refusedImmediates(operation, bits);
    }
  }
  yield* negations();
  yield* byteOrders();
  yield* signExtendingMoves();
}

function* binaryCases(operation: Operation, bits: Bits): Generator<GeneratedCase> {
  const mnemonic = operation.name + (bits === 32 ? "32" : "");
  const path = `${operation.folders[bits]}/${mnemonic}`;
  const answer = (dst: bigint, operand: bigint) =>
    arithmetic(operation.code, operation.offset, bits, dst, operand);

  const register = new CaseText(`${mnemonic} with a register`);
  operation.registers[bits].forEach(([dst, operand], index) => {
    const [a, b, c] = rotateRegisters(index);
    register.constant(a, dst).constant(b, operand).add(`${mnemonic} %r${a}, %r${b}`);
    register.expect(a, answer(dst, operand), c).expect(b, operand, c);
  });
  yield register.finish(`${path}-register`);

  const immediate = new CaseText(`${mnemonic} with an immediate`);
  operation.immediates[bits].forEach(([dst, operand], index) => {
    const [a, b] = rotateRegisters(index);
    immediate.constant(a, dst).add(`${mnemonic} %r${a}, ${decimalOrHex(operand)}`);
    immediate.expect(a, answer(dst, operand), b);
  });
  yield immediate.finish(`${path}-immediate`);

  const same = new CaseText(`${mnemonic} of a register with itself`);
  [0n, 0x8000_0003n, MIN64 + 5n, MIXED, ONES].forEach((value, index) => {
    const [a, b] = rotateRegisters(index);
    same.constant(a, value).add(`${mnemonic} %r${a}, %r${a}`).expect(a, answer(value, value), b);
  });
  yield same.finish(`${path}-same-register`);
}

/** Immediates that the specification defines and Linux refuses to load. */
function* refusedImmediates(operation: Operation, bits: Bits): Generator<GeneratedCase> {
  const mnemonic = operation.name + (bits === 32 ? "32" : "");
  const isShift = ["lsh", "rsh", "arsh"].includes(operation.name);
  const isDivision = ["div", "mod", "sdiv", "smod"].includes(operation.name);
  if (!isShift && !isDivision) return;
  const text = new CaseText(
    isShift ? `${mnemonic} by immediates beyond the width` : `${mnemonic} by an immediate zero`,
  ).kernelRejects(isShift ? "invalid shift" : "division by zero");
  const operands = isShift ? [BigInt(bits), BigInt(bits + 1), -1n] : [0n];
  operands.forEach((operand, index) => {
    const [a, b] = rotateRegisters(index);
    const value = 0x8123_4567_89ab_cdefn;
    const expected = arithmetic(operation.code, operation.offset, bits, value, operand);
    text.constant(a, value).add(`${mnemonic} %r${a}, ${decimalOrHex(operand)}`);
    text.expect(a, expected, b);
  });
  const suffix = isShift ? "immediate-beyond-width" : "immediate-zero";
  yield text.finish(`${operation.folders[bits]}/${mnemonic}-${suffix}`);
}

function* negations(): Generator<GeneratedCase> {
  for (const bits of [32, 64] as const) {
    const mnemonic = bits === 32 ? "neg32" : "neg";
    const text = new CaseText(`${mnemonic}, its own inverse but at the minimum`);
    [0n, 1n, ONES, MIN64, 0x8000_0000n, MIXED].forEach((value, index) => {
      const [a, b] = rotateRegisters(index);
      text.constant(a, value).add(`${mnemonic} %r${a}`);
      text.expect(a, arithmetic(ALU.NEG, 0, bits, value, 0n), b);
    });
    yield text.finish(`${BASE[bits]}/${mnemonic}`);
  }
}

function* byteOrders(): Generator<GeneratedCase> {
  for (const width of [16, 32, 64]) {
    for (const [name, swaps] of [
      ["le", false],
      ["be", true],
      ["bswap", true],
    ] as const) {
      const mnemonic = `${name}${width}`;
      const text = new CaseText(`${mnemonic} on a little-endian machine`);
      [MIXED, 0x8899_aabb_ccdd_eeffn, 0xff00n, 0xffff_ffff_ffff_0001n].forEach((value, index) => {
        const [a, b] = rotateRegisters(index);
        const truncated = BigInt.asUintN(width, value);
        text.constant(a, value).add(`${mnemonic} %r${a}`);
        text.expect(a, swaps ? byteSwap(truncated, width) : truncated, b);
      });
      const folder = name === "bswap" ? "v4" : BASE[width === 64 ? 64 : 32];
      yield text.finish(`${folder}/${mnemonic}`);
    }
  }
}

function* signExtendingMoves(): Generator<GeneratedCase> {
  for (const [from, bits] of [
    [8, 32],
    [16, 32],
    [8, 64],
    [16, 64],
    [32, 64],
  ] as const) {
    const mnemonic = `movsx${from}${bits}`;
    const sign = 1n << BigInt(from - 1);
    const values = [sign - 1n, sign, ONES, MIXED ^ ONES, 0x1234_5678_0000_0000n];
    const answer = (value: bigint) => arithmetic(ALU.MOV, from, bits, 0n, value);
    const text = new CaseText(`${mnemonic}, the sign bit clear and set, garbage above it`);
    const same = new CaseText(`${mnemonic} of a register to itself`);
    values.forEach((value, index) => {
      const [a, b, c] = rotateRegisters(index);
      text.constant(a, ONES).constant(b, value).add(`${mnemonic} %r${a}, %r${b}`);
      text.expect(a, answer(value), c).expect(b, value, c);
      same.constant(a, value).add(`${mnemonic} %r${a}, %r${a}`).expect(a, answer(value), c);
    });
    yield text.finish(`v4/${mnemonic}`);
    yield same.finish(`v4/${mnemonic}-same-register`);
  }
}
