/** Random programs, on all engines: the same answer, the same maps. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROGRAM_MAPS } from "#property-tests/arbitraries/program_maps.ts";
import { reachableFunctions, type Statement } from "#property-tests/arbitraries/program_text.ts";
import {
  programBytes,
  programText,
  type RandomProgram,
  randomMapProgram,
} from "#property-tests/arbitraries/programs.ts";
import { decode, encode, type Instruction } from "#property-tests/isa/encoding.ts";
import { ResidentMachine } from "#property-tests/isa/resident_machine.ts";
import { checkProperty } from "#property-tests/property.ts";
import { aotEngine } from "#wasm/engines/aot/aot.ts";
import type { Engine } from "#wasm/engines/engine.ts";
import { ubpfEngine } from "#wasm/engines/ubpf/ubpf.ts";

function machines(engines: readonly Engine[]): Promise<ResidentMachine[]> {
  return Promise.all(engines.map((engine) => ResidentMachine.create(engine, PROGRAM_MAPS)));
}

function answer(machine: ResidentMachine, program: Uint8Array, memory: Uint8Array): string {
  const r0 = machine.run(program, memory);
  return `r0 0x${r0.toString(16)}, maps ${machine.mapContents()}`;
}

function agree([first, ...others]: readonly ResidentMachine[]): fc.IProperty<[RandomProgram]> {
  return fc.property(randomMapProgram, (random) => {
    const program = programBytes(random);
    const expected = answer(first!, program, random.memory);
    for (const other of others) {
      const actual = answer(other, program, random.memory);
      if (actual !== expected) throw new Error(`aot: ${actual}; ubpf: ${expected}`);
    }
  });
}

describe("engines agree", () => {
  it("on random programs", async () => {
    checkProperty("random programs agree", agree(await machines([ubpfEngine, aotEngine])));
  });
});

/** A compiler that takes some instructions for others. */
function miscompiling(mistake: (instruction: Instruction) => Partial<Instruction>): Engine {
  const spoil = (one: Instruction): Instruction => ({ ...one, ...mistake(one) });
  return {
    ...aotEngine,
    load: (instance, program, resolve, options) => {
      const code = encode(decode(program.code).map(spoil));
      return aotEngine.load(instance, { ...program, code }, resolve, options);
    },
  };
}

const swap = (from: number, to: number) => (instruction: Instruction) =>
  instruction.opcode === from ? { opcode: to } : {};

/** What is done wrong, and the mnemonic that the shrunk program still has. */
const MISTAKES = [
  ["an arithmetic shift of 32 bits", swap(0xc4, 0x74), "arsh32"],
  ["a signed comparison", swap(0x6d, 0x2d), "jsgt"],
  ["a load that extends the sign", swap(0x91, 0x71), "ldxsb"],
  ["a remainder by a register", swap(0x9f, 0x3f), "mod"],
  [
    "an atomic exchange",
    ({ opcode, imm }: Instruction) => (opcode === 0xdb && imm === 0xe1 ? { imm: 0xf1 } : {}),
    "lock xchg",
  ],
  [
    "the flags of an update",
    ({ opcode, dst, imm }: Instruction) =>
      opcode === 0xb7 && dst === 4 && imm === 1 ? { imm: 0 } : {},
    "call helper 2",
  ],
] as const;
/** That the fault is in a branch, in a loop or in a called function may take as many more. */
const STATEMENTS_MAX = 5;

function countStatements(statements: readonly Statement[]): number {
  return statements.reduce((count, statement) => {
    if (statement.kind === "loop") return count + 1 + countStatements(statement.body);
    if (statement.kind !== "branch") return count + 1;
    return count + 1 + countStatements([...statement.taken, ...statement.notTaken]);
  }, 0);
}

describe("a planted miscompilation", () => {
  it.each(MISTAKES)("of %s is found, and shrunk to it", async (_, mistake, left) => {
    const property = agree(await machines([ubpfEngine, miscompiling(mistake)]));
    const { failed, counterexample } = fc.check(property, { seed: 1, numRuns: 2_000 });
    expect(failed).toBe(true);
    const [{ functions }] = counterexample!;
    expect(programText(counterexample![0])).toContain(left);
    const reached = reachableFunctions(functions).map((index) => functions[index]!.body);
    expect(countStatements(reached.flat())).toBeLessThanOrEqual(STATEMENTS_MAX);
  });
});
