/** Cases for conditional jumps: every condition, width and operand form, taken and not taken. */

import { JUMP } from "#property-tests/isa/encoding.ts";
import {
  CaseText,
  decimalOrHex,
  type GeneratedCase,
  rotateRegisters,
} from "#property-tests/isa/generate/case_text.ts";
import { compare } from "#property-tests/isa/reference_operations.ts";

const MIN64 = 0x8000_0000_0000_0000n;
const MAX64 = 0x7fff_ffff_ffff_ffffn;
const ONES = 0xffff_ffff_ffff_ffffn;

const CONDITIONS: readonly (readonly [string, number])[] = [
  ["jeq", JUMP.JEQ],
  ["jne", JUMP.JNE],
  ["jset", JUMP.JSET],
  ["jgt", JUMP.JGT],
  ["jge", JUMP.JGE],
  ["jlt", JUMP.JLT],
  ["jle", JUMP.JLE],
  ["jsgt", JUMP.JSGT],
  ["jsge", JUMP.JSGE],
  ["jslt", JUMP.JSLT],
  ["jsle", JUMP.JSLE],
];

/** Operands between which signed, unsigned, 32-bit and 64-bit comparisons disagree. */
const REGISTER_PAIRS: readonly (readonly [bigint, bigint])[] = [
  [7n, 7n],
  [8n, 7n],
  [7n, 8n],
  [ONES, 0n],
  [0n, ONES],
  [MAX64, MIN64],
  [0x1_0000_0001n, 1n],
  [0xffff_ffff_7fff_ffffn, 0x8000_0000n],
];

/** The immediate is sign-extended to the width, for unsigned conditions too. */
const IMMEDIATE_PAIRS: readonly (readonly [bigint, bigint])[] = [
  [7n, 7n],
  [8n, 7n],
  [6n, 7n],
  [ONES, -1n],
  [0xffff_ffffn, -1n],
  [MIN64, -0x8000_0000n],
  [0x8000_0000n, -0x8000_0000n],
  [0x1_0000_0000n, 0x7fff_ffffn],
];

export function* jumpCases(): Generator<GeneratedCase> {
  for (const [name, code] of CONDITIONS) {
    for (const bits of [32, 64] as const) {
      const mnemonic = name + (bits === 32 ? "32" : "");
      const folder = bits === 32 ? "base32" : "base64";

      const register = new CaseText(`${mnemonic} against a register`);
      REGISTER_PAIRS.forEach(([left, right], index) => {
        const [a, b] = rotateRegisters(index);
        register.constant(a, left).constant(b, right);
        addJump(register, `${mnemonic} %r${a}, %r${b}`, compare(code, bits, left, right));
      });
      yield register.finish(`${folder}/${mnemonic}-register`);

      const immediate = new CaseText(`${mnemonic} against an immediate`);
      IMMEDIATE_PAIRS.forEach(([left, right], index) => {
        const [a] = rotateRegisters(index);
        immediate.constant(a, left);
        const taken = compare(code, bits, left, right);
        addJump(immediate, `${mnemonic} %r${a}, ${decimalOrHex(right)}`, taken);
      });
      yield immediate.finish(`${folder}/${mnemonic}-immediate`);

      const same = new CaseText(`${mnemonic} of a register against itself`);
      [0n, ONES, MIN64].forEach((value, index) => {
        const [a] = rotateRegisters(index);
        same.constant(a, value);
        addJump(same, `${mnemonic} %r${a}, %r${a}`, compare(code, bits, value, value));
      });
      yield same.finish(`${folder}/${mnemonic}-same-register`);
    }
  }
}

function addJump(text: CaseText, condition: string, taken: boolean): void {
  if (taken) {
    const label = text.label();
    text.add(`${condition}, ${label}`, "ja done", `${label}:`).passed();
  } else {
    text.add(`${condition}, done`).passed();
  }
}
