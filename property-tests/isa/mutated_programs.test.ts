import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BpfError, VerifierError } from "#core/errors.ts";
import { mutatedProgram } from "#property-tests/arbitraries/program_mutations.ts";
import { decode } from "#property-tests/isa/encoding.ts";
import { execute, type Helper, ProgramRejected } from "#property-tests/isa/reference.ts";
import { loadChecked } from "#property-tests/isa/reference_checks.ts";
import type { Layout } from "#property-tests/isa/reference_memory.ts";
import { ResidentMachine } from "#property-tests/isa/resident_machine.ts";
import { checkProperty } from "#property-tests/property.ts";
import { ENGINES } from "#wasm/engines/engines.ts";

/**
 * Machines that agree in nothing they may choose: addresses below and above 32 bits, either object
 * first, all 8-byte alignments (a shift by a pointer sees the low bits), contents of fresh frames,
 * answers of helpers.
 */
const MACHINES: readonly (Layout & { readonly answer: bigint })[] = Array.from(
  { length: 8 },
  (_, index) => {
    const high = index % 2 === 0 ? 0n : BigInt(index) << 32n;
    const low = high + 0x22_6800n + BigInt(((index * 3) % 8) * 0x1108);
    const above = high + 0x5a_a500n + BigInt(((index * 5) % 8) * 0x2218);
    return {
      context: index < 4 ? low : above,
      stack: index < 4 ? above : low,
      fresh: (index * 37) & 0xff,
      answer: BigInt.asUintN(64, 0x9e37_79b9_7f4a_7c15n * BigInt(index)),
    };
  },
);

/** r0, if the program is valid and its answer depends on nothing that a machine may choose. */
function determinedAnswer(program: Uint8Array, memory: Uint8Array): bigint | undefined {
  const answers = new Set<bigint | undefined>();
  for (const { answer, ...layout } of MACHINES) {
    const helpers = new Map<number, Helper>([5, 7, 8].map((number) => [number, () => answer]));
    const options = { memory: memory.slice(), helpers, layout, instructions_max: 20_000 };
    answers.add(rejectedAsUndefined(() => execute(program, options)));
  }
  return answers.size === 1 ? [...answers][0] : undefined;
}

function rejectedAsUndefined(run: () => bigint): bigint | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof ProgramRejected) return undefined;
    throw error;
  }
}

/** Whether the program breaks a rule that needs no run; every helper counts as known. */
function isMalformed(program: Uint8Array): boolean {
  try {
    loadChecked(decode(program), program.length, { has: () => true });
    return false;
  } catch {
    return true;
  }
}

/** may_goto is Linux's, not the specification's; the reference does not know it. */
function usesMayGoto(program: Uint8Array): boolean {
  return decode(program).some(({ opcode }) => opcode === 0xe5);
}

describe("nearly valid programs", () => {
  it.each(ENGINES)("are answered or refused by $name, which stays usable", async (engine) => {
    const machine = await ResidentMachine.create(engine);
    const counts = { answered: 0, refused: 0, open: 0 };
    const property = fc.property(mutatedProgram, ({ program, memory }) => {
      fc.pre(!usesMayGoto(program));
      const answer = caught(() => machine.run(program, memory));
      if (typeof answer !== "bigint") expect(answer).toBeInstanceOf(BpfError);
      const expected = determinedAnswer(program, memory);
      if (isMalformed(program)) {
        expect(answer).toBeInstanceOf(BpfError);
        counts.refused++;
      } else if (expected !== undefined && !refusedWithoutRun(answer)) {
        expect(String(answer)).toBe(String(expected));
        counts.answered++;
      } else counts.open++;
    });
    checkProperty(`nearly valid programs: ${engine.name}`, property);
    // Otherwise the property says nothing.
    expect(counts.answered).toBeGreaterThan(0);
    expect(counts.refused).toBeGreaterThan(0);
  });
});

/** Engines refuse a stack access outside the frame at load, as Linux does, even if no run gets there. */
function refusedWithoutRun(answer: unknown): boolean {
  return answer instanceof VerifierError && answer.message.includes("stack access at r10");
}

function caught(run: () => bigint): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
