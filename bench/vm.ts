/**
 * Instructions per second of an engine: a loop of arithmetic, branches and stack accesses, assembled
 * here, so that every engine runs exactly the same instructions.
 */
import { readArtifact } from "#cli/artifacts.ts";
import { assemble } from "#property-tests/isa/assembler.ts";
import { findEngine } from "#wasm/engines/engines.ts";
import { RuntimeInstance } from "#wasm/instance.ts";
import { type Bench, machine, median } from "./bench.ts";

const ITERATIONS = 1_000_000;
/** FNV-like hashing over eight bytes of stack: 9 instructions an iteration. */
const LOOP = `
  mov %r6, 0
  lddw %r1, 0xcbf29ce484222325
  stxdw [%r10-8], %r1
loop:
  ldxdw %r2, [%r10-8]
  xor %r2, %r6
  mul %r2, 0x1b3
  mov %r3, %r2
  rsh %r3, 29
  xor %r2, %r3
  stxdw [%r10-8], %r2
  add %r6, 1
  jlt %r6, ${ITERATIONS}, loop
  ldxdw %r0, [%r10-8]
  exit
`;
const INSTRUCTIONS = 9 * ITERATIONS + 5;
const BUDGET = 100_000_000;

interface EngineResult {
  readonly instructions_per_s: number;
  readonly ns_per_instruction: number;
  readonly rounds_ns: readonly number[];
}

async function measure(name: string, rounds: number): Promise<EngineResult> {
  const instance = await RuntimeInstance.create({
    wasm: readArtifact("wasm/runtime.wasm") as Uint8Array<ArrayBuffer>,
    cpus: 1,
  });
  instance.setBudget(BUDGET);
  const code = assemble(LOOP);
  const subprograms = [{ name: "loop", start: 0, length: code.length / 8 }];
  const none = { references: [], lines: [], poisoned: [] };
  const linked = { name: "loop", section: "bench", code, subprograms, ...none };
  const program = findEngine(name).load(instance, linked, () => 0);
  const context = instance.createContext(8, false);
  instance.run(program.handle, context);
  const rounds_ns: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    instance.run(program.handle, context);
    rounds_ns.push(((performance.now() - started) * 1e6) / INSTRUCTIONS);
  }
  program.close();
  const ns = median(rounds_ns);
  return { instructions_per_s: Math.round(1e9 / ns), ns_per_instruction: ns, rounds_ns };
}

export const vmBench: Bench = {
  rounds: 7,
  async run({ rounds }) {
    return {
      bench: "vm",
      engines: { ubpf: await measure("ubpf", rounds) },
      instructions: INSTRUCTIONS,
      method: "one program run a round, warm, median; bounds checks on",
      machine: machine(),
    };
  },
};
