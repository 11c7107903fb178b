/**
 * The engines of the simulated machine and native C on one loop of arithmetic, branches and stack
 * accesses; how long a run of an empty program takes; how long compiling takes.
 */
import { readArtifact } from "#cli/artifacts.ts";
import { BpfError } from "#core/errors.ts";
import { assemble } from "#property-tests/isa/assembler.ts";
import { bareProgram } from "#wasm/bare_program.ts";
import { createAotEngine } from "#wasm/engines/aot/aot.ts";
import type { Engine, EngineProgram } from "#wasm/engines/engine.ts";
import { ubpfEngine } from "#wasm/engines/ubpf/ubpf.ts";
import { RuntimeInstance } from "#wasm/instance.ts";
import { type Bench, machine, median } from "./bench.ts";
import { measureNativeLoop } from "./native_loop.ts";

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
/** The same through a pointer to the context, where `checked` looks at the shadow. */
const CONTEXT_LOOP = LOOP.replace("mov %r6, 0", "mov %r7, %r1\n  mov %r6, 0").replaceAll(
  "%r10-8",
  "%r7+0",
);
const INSTRUCTIONS = 9 * ITERATIONS + 5;
const BUDGET = 1_000_000_000;
/** Runs before the rounds: V8 compiles hot functions anew in the background. */
const WARM_UP_RUNS = 4;
const ENTRIES = 1_000_000;
const COMPILED_INSTRUCTIONS = 4000;

const ENGINES: readonly { readonly name: string; readonly engine: Engine }[] = [
  { name: "ubpf", engine: ubpfEngine },
  { name: "aot", engine: createAotEngine("checked") },
  { name: "aot_fast", engine: createAotEngine("fast") },
];

interface EngineResult {
  readonly ns_per_instruction: number;
  readonly context_ns_per_instruction: number;
  readonly entry_ns: number;
  readonly rounds_ns: readonly number[];
}

function refuse(): never {
  throw new BpfError("load program", "the bench has no maps");
}

const createInstance = async (): Promise<RuntimeInstance> => {
  const wasm = readArtifact("wasm/runtime.wasm") as Uint8Array<ArrayBuffer>;
  const instance = await RuntimeInstance.create({ wasm, cpus: 1 });
  instance.setBudget(BUDGET);
  return instance;
};

const load = (engine: Engine, instance: RuntimeInstance, text: string): EngineProgram =>
  engine.load(instance, bareProgram(assemble(text)), refuse);

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** Nanoseconds of each round of the loop. */
async function measureLoop(
  engine: Engine,
  text: string,
  rounds: number,
  expected: bigint | undefined,
): Promise<number[]> {
  const instance = await createInstance();
  const program = load(engine, instance, text);
  const context = instance.createContext(8, true);
  const rounds_ns: number[] = [];
  for (let round = -WARM_UP_RUNS; round < rounds; round++) {
    const started = performance.now();
    instance.run(program.handle, context);
    if (round >= 0) rounds_ns.push((performance.now() - started) * 1e6);
    await turn();
  }
  if (expected !== undefined && instance.result64 !== expected) {
    throw new Error(`the loop gave ${instance.result64}, native C ${expected}`);
  }
  return rounds_ns;
}

/** A run of an empty program from JavaScript, one at a time. */
async function measureEntry(engine: Engine, rounds: number): Promise<number> {
  const instance = await createInstance();
  const { handle } = load(engine, instance, "mov %r0, 1\nexit");
  const context = instance.createContext(8, false);
  const rounds_ns: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const started = performance.now();
    for (let i = 0; i < ENTRIES; i++) instance.run(handle, context);
    if (round >= 0) rounds_ns.push(((performance.now() - started) * 1e6) / ENTRIES);
    await turn();
  }
  return median(rounds_ns);
}

/** Milliseconds for 1,000 instructions of branches, memory and arithmetic, wasm's own part included. */
async function measureCompile(engine: Engine, rounds: number): Promise<number> {
  const instance = await createInstance();
  const step = (n: number): string => `
  ldxdw %r2, [%r6+0]
  add %r2, ${n}
  jgt %r2, ${n}, l${n}
  stxw [%r6+4], %r2
  mov32 %r3, %r2
  l${n}:
  xor %r0, %r2
  stxdw [%r10-${8 + (n % 8) * 8}], %r0
  lsh %r0, 3`;
  const count = COMPILED_INSTRUCTIONS / 8;
  const steps = Array.from({ length: count }, (_, n) => step(n)).join("");
  const code = assemble(`mov %r6, %r1\nmov %r0, 0\n${steps}\nexit`);
  const rounds_ms: number[] = [];
  for (let round = -WARM_UP_RUNS; round < rounds; round++) {
    const started = performance.now();
    engine.load(instance, bareProgram(code), refuse).close();
    if (round >= 0) rounds_ms.push(performance.now() - started);
    await turn();
  }
  return (median(rounds_ms) * 1000) / (code.length / 8);
}

export const vmBench: Bench = {
  rounds: 7,
  async run({ rounds }) {
    const native = measureNativeLoop(ITERATIONS, rounds);
    const engines: Record<string, EngineResult> = {};
    for (const { name, engine } of ENGINES) {
      const loop = await measureLoop(engine, LOOP, rounds, native?.result);
      const context = await measureLoop(engine, CONTEXT_LOOP, rounds, native?.result);
      engines[name] = {
        ns_per_instruction: median(loop) / INSTRUCTIONS,
        context_ns_per_instruction: median(context) / INSTRUCTIONS,
        entry_ns: await measureEntry(engine, rounds),
        rounds_ns: loop.map((ns) => ns / INSTRUCTIONS),
      };
    }
    const { ubpf, aot } = engines;
    const native_ns = native === undefined ? undefined : median(native.rounds_ns) / INSTRUCTIONS;
    const ratio = (ns: number): number | null => (native_ns === undefined ? null : ns / native_ns);
    return {
      bench: "vm",
      aot_vs_ubpf: ubpf!.ns_per_instruction / aot!.ns_per_instruction,
      aot_vs_ubpf_context: ubpf!.context_ns_per_instruction / aot!.context_ns_per_instruction,
      aot_vs_native: ratio(aot!.ns_per_instruction),
      aot_vs_native_context: ratio(aot!.context_ns_per_instruction),
      compile_ms_per_1000_instructions: await measureCompile(createAotEngine("checked"), rounds),
      entry_ns: aot!.entry_ns,
      native_ns_per_instruction: native_ns ?? null,
      engines,
      instructions: INSTRUCTIONS,
      method:
        "medians of warm rounds; the loop's sum in the frame, and in the context; native: the same loop " +
        "in C, clang -O2, the sum volatile; compile: decoding to an instance that can be called; aot_fast: no checks",
      machine: machine(),
    };
  },
};
