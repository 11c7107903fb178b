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

/** Addresses below and above 32 bits, either object first, no byte equal; and answers of helpers. */
const LAYOUTS: readonly (Layout & { readonly answer: bigint })[] = [
  { context: 0x10_0008n, stack: 0x51_0f30n, fresh: 0, answer: 0n },
  { context: 0x7f_12a0n, stack: 0x22_68e8n, fresh: 0xa5, answer: 0x1234_5678_9abcn },
  { context: 0x9_a55a_ff58n, stack: 0x3_4567_9978n, fresh: 0xff, answer: 2n ** 64n - 1n },
];

/** r0, if the program is valid and its answer depends on nothing that a machine may choose. */
function determinedAnswer(program: Uint8Array, memory: Uint8Array): bigint | undefined {
  const answers = new Set<bigint | undefined>();
  for (const { answer, ...layout } of LAYOUTS) {
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
