/** How long the compiler takes for a program of branches, memory and arithmetic. */
import { BpfError } from "#core/errors.ts";
import { assemble } from "#property-tests/isa/assembler.ts";
import { bareProgram } from "#wasm/bare_program.ts";
import type { Engine } from "#wasm/engines/engine.ts";
import { median } from "./bench.ts";
import { createInstance, measureRounds } from "./vm_machine.ts";

const INSTRUCTIONS = 4000;
const INSTRUCTIONS_PER_STEP = 8;
/** It is the compiler itself that V8 compiles meanwhile, and it is larger than what others measure. */
const WARM_UP_ROUNDS = 40;

/** `salt` makes the program a new one: V8 knows modules that it compiled before. */
function code(salt: number): Uint8Array {
  const step = (n: number): string => `
  ldxdw %r2, [%r6+0]
  add %r2, ${salt + n}
  jgt %r2, ${n}, l${n}
  stxw [%r6+4], %r2
  mov32 %r3, %r2
  l${n}:
  xor %r0, %r2
  stxdw [%r10-${8 + (n % 8) * 8}], %r0
  lsh %r0, 3`;
  const steps = Array.from({ length: INSTRUCTIONS / INSTRUCTIONS_PER_STEP }, (_, n) => step(n));
  return assemble(`mov %r6, %r1\nmov %r0, 0\n${steps.join("")}\nexit`);
}

function refuse(): never {
  throw new BpfError("load program", "it has no maps");
}

/** Milliseconds for 1,000 instructions, from their bytes to an instance, wasm's own part included. */
export async function measureCompile(engine: Engine, rounds: number): Promise<number> {
  const instance = await createInstance();
  const programs = Array.from({ length: WARM_UP_ROUNDS + rounds }, (_, round) =>
    bareProgram(code(round * INSTRUCTIONS)),
  );
  const instructions = programs[0]!.code.length / 8;
  const compile = () => engine.load(instance, programs.pop()!, refuse).close();
  const rounds_ns = await measureRounds(rounds, compile, WARM_UP_ROUNDS);
  return median(rounds_ns) / 1e6 / (instructions / 1000);
}
