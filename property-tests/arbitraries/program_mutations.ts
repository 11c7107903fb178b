/**
 * Programs that are nearly valid: one of `randomProgram` with a few fields of its instructions changed.
 * Most are refused or go wrong; what they must never do is bring down who loads them.
 */

import fc from "fast-check";
import {
  programBytes,
  type RandomProgram,
  randomProgram,
} from "#property-tests/arbitraries/programs.ts";
import { decode, encode, type Instruction } from "#property-tests/isa/encoding.ts";
import { INSTRUCTION_FORMS } from "#property-tests/isa/opcodes.ts";

export interface MutatedProgram {
  readonly program: Uint8Array;
  readonly memory: Uint8Array;
}

interface Mutation {
  /** Fraction of the program, so that it stays meaningful while the program shrinks. */
  readonly place: number;
  readonly field: keyof Instruction;
  readonly value: number;
  /** Makes a well-formed instruction of it afterwards: the row of the table to follow, of those fit. */
  readonly row: number | null;
}

const OPCODES = [...new Set(INSTRUCTION_FORMS.map(({ opcode }) => opcode))];

const near = fc.integer({ min: -20, max: 20 });

const mutation: fc.Arbitrary<Mutation> = fc
  .tuple(
    fc.nat({ max: 999 }),
    fc.oneof(
      fc.tuple(fc.constant("opcode" as const), fc.constantFrom(...OPCODES)),
      fc.tuple(fc.constant("opcode" as const), fc.nat({ max: 255 })),
      fc.tuple(fc.constantFrom("dst" as const, "src" as const), fc.nat({ max: 10 })),
      fc.tuple(fc.constantFrom("dst" as const, "src" as const), fc.nat({ max: 15 })),
      fc.tuple(fc.constantFrom("offset" as const, "imm" as const), near),
      fc.tuple(fc.constant("offset" as const), fc.integer({ min: -0x8000, max: 0x7fff })),
      fc.tuple(fc.constant("imm" as const), fc.integer({ min: -0x80000000, max: 0x7fffffff })),
    ),
    fc.option(fc.nat({ max: 20 }), { freq: 20 }),
  )
  .map(([permille, [field, value], row]) => ({ place: permille / 1000, field, value, row }));

export const mutatedProgram: fc.Arbitrary<MutatedProgram> = fc
  .record({
    random: randomProgram,
    mutations: fc.array(mutation, { minLength: 1, maxLength: 4 }),
    cutOff: fc.oneof(
      { weight: 19, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.nat({ max: 40 }) },
    ),
  })
  .map(({ random, mutations, cutOff }) => {
    const mutated = { program: mutate(random, mutations, cutOff), memory: random.memory };
    return Object.assign(mutated, { [fc.toStringMethod]: () => printSlots(mutated.program) });
  });

/** Without the last `cutOff` slots; at least one stays. */
function mutate(random: RandomProgram, mutations: readonly Mutation[], cutOff: number): Uint8Array {
  const all = decode(programBytes(random));
  const code = all.slice(0, Math.max(1, all.length - cutOff));
  for (const { place, field, value, row } of mutations) {
    const slot = Math.floor(place * code.length);
    const changed = { ...code[slot]!, [field]: value };
    code[slot] = row === null ? changed : wellFormed(changed, row);
  }
  return encode(code);
}

/** Gives the fields that the instruction does not use the value that they must have. */
function wellFormed(instruction: Instruction, row: number): Instruction {
  const forms = INSTRUCTION_FORMS.filter(({ opcode }) => opcode === instruction.opcode);
  const form = forms[row % forms.length];
  if (form === undefined) return instruction;
  const value = (field: "dst" | "src" | "offset" | "imm") =>
    typeof form[field] === "number" ? form[field] : instruction[field];
  return {
    opcode: instruction.opcode,
    dst: Math.min(value("dst"), 10),
    src: Math.min(value("src"), 10),
    offset: value("offset"),
    imm: value("imm"),
  };
}

function printSlots(program: Uint8Array): string {
  const slots = Buffer.from(program).toString("hex").match(/.{16}/g) ?? [];
  return `\n${slots.map((slot, index) => `${index}: ${slot}`).join("\n")}\n`;
}
