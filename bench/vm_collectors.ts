/**
 * Whole events of the collectors, in loops of BPF: on the simulated machine, engine by engine, and where root may load
 * BPF on the kernel's JIT.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { readArtifact } from "#cli/artifacts.ts";
import type { Backend } from "#core/backend.ts";
import { createKernelBackend } from "#kernel/backend.ts";
import { checkMachine } from "#kernel/probes.ts";
import { createWasmBackend } from "#wasm/backend.ts";
import type { Mode } from "#wasm/engines/engine.ts";
import { compileObject } from "../scripts/build_bpf.ts";
import { median } from "./bench.ts";

/** Of a round, and those before its clock starts (event_loop.h). */
const EVENTS = 1024;
const EVENTS_BEFORE = 128;
/** Rounds before those that count: V8 compiles hot functions anew in the background. */
const WARM_UP_ROUNDS = 60;
const BUDGET = 1_000_000_000;

/** What runs in a loop, by the name in the report; an event of the second is an enter and an exit. */
const LOOPS = [
  { collector: "tcp", source: "tcp_loop", variant: 0n },
  { collector: "syscall", source: "collector_loop", variant: 1n },
] as const;

const MACHINES: readonly {
  readonly name: string;
  readonly engine: string;
  readonly mode?: Mode;
}[] = [
  { name: "aot_fast_ns", engine: "aot", mode: "fast" },
  { name: "aot_ns", engine: "aot", mode: "checked" },
  { name: "aot_paranoid_ns", engine: "aot", mode: "paranoid" },
  { name: "ubpf_ns", engine: "ubpf" },
];

interface Runner {
  readonly name: string;
  /** Nanoseconds of one event. */
  run(): number;
  close(): void;
}

/** Medians over rounds in which all take their turn, by collector and name; `kernel_jit_ns` is null where none is at hand. */
export async function measureCollectors(
  rounds: number,
): Promise<Record<string, Record<string, number | null>>> {
  const collectors: Record<string, Record<string, number | null>> = {};
  for (const { collector, source, variant } of LOOPS) {
    const object = compiled(source);
    const context = new Uint8Array(BigUint64Array.of(BigInt(EVENTS), variant).buffer);
    const runners: Runner[] = [];
    try {
      for (const machine of MACHINES) runners.push(await simulated(machine, object, context));
      if (checkMachine().every(({ ok }) => ok)) runners.push(real(object, context));
      const times = inTurns(runners, rounds);
      const medians = runners.map(({ name }, i) => [name, median(times[i]!)] as const);
      collectors[collector] = { kernel_jit_ns: null, ...Object.fromEntries(medians) };
    } finally {
      for (const runner of runners) runner.close();
    }
  }
  return collectors;
}

function compiled(source: string): Uint8Array {
  const path = `build/bench/${source}.bpf.o`;
  mkdirSync("build/bench", { recursive: true });
  compileObject(`bench/${source}.bpf.c`, path);
  return readFileSync(path);
}

function inTurns(runners: readonly Runner[], rounds: number): number[][] {
  const times = runners.map((): number[] => []);
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    runners.forEach((runner, i) => {
      const event_ns = runner.run();
      if (round >= 0) times[i]!.push(event_ns);
    });
  }
  return times;
}

/** By the host's clock: the simulated one does not run. */
async function simulated(
  { name, engine, mode }: (typeof MACHINES)[number],
  object: Uint8Array,
  context: Uint8Array,
): Promise<Runner> {
  const backend = await createWasmBackend({
    runtime: readArtifact("wasm/runtime.wasm"),
    kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
    cpus: 1,
    engine,
    ...(mode === undefined ? {} : { mode }),
  });
  backend.instance.setBudget(BUDGET);
  const { run, drain, close } = opened(backend, object, context);
  return {
    name,
    run: () => {
      const started_ms = performance.now();
      run();
      const elapsed_ms = performance.now() - started_ms;
      drain();
      return (elapsed_ms * 1e6) / (EVENTS + EVENTS_BEFORE);
    },
    close,
  };
}

/** By the kernel's clock, within the loop. */
function real(object: Uint8Array, context: Uint8Array): Runner {
  const backend = createKernelBackend();
  const { run, drain, maps, close } = opened(backend, object, context);
  const memory = maps.get("loop_elapsed_ns")!.memory();
  const elapsed_ns = new BigUint64Array(memory.buffer, memory.byteOffset, 1);
  return {
    name: "kernel_jit_ns",
    run: () => {
      run();
      drain();
      return Number(elapsed_ns[0]!) / EVENTS;
    },
    close,
  };
}

/** The loaded loop; what it leaves in the ring is read between rounds. */
function opened(backend: Backend, object: Uint8Array, context: Uint8Array) {
  const loop = backend.open(object, { name: "loop", programs: ["loop"] });
  loop.load();
  const ring = loop.maps.get("events")!.ring();
  const program = loop.programs.get("loop")!;
  const expected = EVENTS + EVENTS_BEFORE;
  return {
    maps: loop.maps,
    run: () => program.run(context.slice()),
    drain: () => {
      let records = 0;
      for (let read = 1; read > 0; records += read) read = ring.consume(() => {});
      if (records !== expected) throw new Error(`${records} records of ${expected} events`);
    },
    close: () => {
      ring.close();
      loop.close();
      backend.close();
    },
  };
}
