/**
 * The engines of the simulated machine and native C on one loop of arithmetic, branches and stack
 * accesses; whole events of the collectors on them and on the kernel's JIT; how long a run of an empty
 * program takes; what maps and rings cost; how long compiling takes.
 */
import { createAotEngine } from "#wasm/engines/aot/aot.ts";
import type { Engine } from "#wasm/engines/engine.ts";
import { ubpfEngine } from "#wasm/engines/ubpf/ubpf.ts";
import { type Bench, machine, median } from "./bench.ts";
import { measureNativeLoop } from "./native_loop.ts";
import { measureCollectors } from "./vm_collectors.ts";
import { measureCompile } from "./vm_compile.ts";
import { measureBatchedEntry, measureEntry } from "./vm_entry.ts";
import { createInstance, load, measureRounds } from "./vm_machine.ts";
import { measureMaps } from "./vm_maps.ts";

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
/** An event takes a thousandth of what the loop does. */
const COLLECTOR_ROUNDS = 10;
const INSTRUCTIONS = 9 * ITERATIONS + 5;

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
  const rounds_ns = await measureRounds(rounds, () => instance.run(program.handle, context));
  if (expected !== undefined && instance.result64 !== expected) {
    throw new Error(`the loop gave ${instance.result64}, native C ${expected}`);
  }
  return rounds_ns;
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
    const checked = createAotEngine("checked");
    const native_ns = native === undefined ? undefined : median(native.rounds_ns) / INSTRUCTIONS;
    const ratio = (ns: number): number | null => (native_ns === undefined ? null : ns / native_ns);
    return {
      bench: "vm",
      aot_vs_ubpf: ubpf!.ns_per_instruction / aot!.ns_per_instruction,
      aot_vs_ubpf_context: ubpf!.context_ns_per_instruction / aot!.context_ns_per_instruction,
      aot_vs_native: ratio(aot!.ns_per_instruction),
      aot_vs_native_context: ratio(aot!.context_ns_per_instruction),
      compile_ms_per_1000_instructions: await measureCompile(checked, rounds),
      entry_ns: aot!.entry_ns,
      entry_batched_ns: await measureBatchedEntry(checked, rounds),
      ...(await measureMaps(checked, rounds)),
      native_ns_per_instruction: native_ns ?? null,
      collector_event: await measureCollectors(COLLECTOR_ROUNDS * rounds),
      engines,
      instructions: INSTRUCTIONS,
      method:
        "medians of warm rounds; the loop's sum in the frame, and in the context; native: the same loop " +
        "in C, clang -O2, the sum volatile; compile: decoding to an instance that can be called, a new " +
        "program each time, after 40 others; entry: an empty program, alone from JavaScript and by blocks of 4,096 records; " +
        "hash: 4,096 of 65,536 keys of 4 bytes, in turn; lpm: 10,000 /32 prefixes; ring: 8-byte records " +
        "reserved, submitted and read, on one core; aot_fast: no checks; collector_event: ns of a TCP state change, " +
        "and of a system call's enter and exit, delivered to a ring, 1,024 in a loop of BPF, all in turns; " +
        "the kernel's by its own clock",
      machine: machine(),
    };
  },
};
