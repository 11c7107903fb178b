/**
 * What statistics add to one event, on this kernel: the system call collector with and without them, in turns,
 * at the real hooks, while `dd` makes two system calls for every byte it copies. The kernel itself takes the time
 * of every run (BPF_ENABLE_STATS); an event is one run of the enter program and one of the exit program.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import type { BpfObject } from "#core/backend.ts";
import { BpfError } from "#core/errors.ts";
import { createKernelBackend, type KernelBackend } from "#kernel/backend.ts";
import { checkMachine } from "#kernel/probes.ts";
import { compileObject } from "../scripts/build_bpf.ts";
import { type Bench, machine, median } from "./bench.ts";

const SOURCE = "bpf/syscall_monitor.bpf.c";
const BYTES_COPIED = 150_000;
const EVENTS_PER_S = 100_000;

const VARIANTS = {
  with: { path: "build/bench/statistics_on.bpf.o", flags: [] },
  without: { path: "build/bench/statistics_off.bpf.o", flags: ["-DSTATISTICS_OFF"] },
} as const;

interface Round {
  /** Of both programs, for one event. */
  readonly event_ns: number;
  readonly events: number;
}

function requireKernel(): void {
  const failed = checkMachine().find(({ ok }) => !ok);
  if (failed === undefined) return;
  throw new BpfError("bench stats", `it needs a kernel: ${failed.name}: ${failed.detail}`, {
    hint: "tapio-bpf doctor says what this machine lacks",
  });
}

function open(backend: KernelBackend, path: string): BpfObject {
  const object = backend.open(readFileSync(path), {
    name: path,
    constants: { excluded_pid: backend.processId() },
  });
  object.load();
  return object;
}

/** Time and number of runs so far, by program. */
function runs(object: BpfObject): readonly (readonly [time_ns: number, count: number])[] {
  return ["syscall_enter", "syscall_exit"].map((name) => {
    const { runTime_ns, runCount } = object.programs.get(name)!.info();
    return [runTime_ns, runCount] as const;
  });
}

async function measure(backend: KernelBackend, path: string): Promise<Round> {
  const object = open(backend, path);
  const ring = object.maps.get("events")!.ring();
  const links = [...object.programs.values()].map((program) => program.attach());
  try {
    const before = runs(object);
    const size = ["bs=1", `count=${BYTES_COPIED}`];
    const load = spawn("dd", ["if=/dev/zero", "of=/dev/null", ...size], { stdio: "ignore" });
    const ended = once(load, "exit");
    const drain = setInterval(() => ring.consume(() => {}), 1);
    await ended;
    clearInterval(drain);
    const after = runs(object);
    const each = after.map(([time_ns, count], i) => {
      const [time0_ns, count0] = before[i]!;
      return (time_ns - time0_ns) / (count - count0);
    });
    return { event_ns: each[0]! + each[1]!, events: after[1]![1] - before[1]![1] };
  } finally {
    for (const link of links) link.close();
    ring.close();
    object.close();
  }
}

/** Kernel memory of the statistics map, for each program. */
function bytesPerProgram(backend: KernelBackend): number {
  const object = open(backend, VARIANTS.with.path);
  const map = object.maps.get("probe_stats")!;
  const bytes = map.memoryBytes() / map.spec.maxEntries;
  object.close();
  return bytes;
}

export const statsBench: Bench = {
  rounds: 9,
  async run({ rounds }) {
    requireKernel();
    mkdirSync("build/bench", { recursive: true });
    for (const { path, flags } of Object.values(VARIANTS)) compileObject(SOURCE, path, flags);
    const backend = createKernelBackend();
    try {
      backend.enableStatistics();
      const times = { with: [] as number[], without: [] as number[] };
      let events = 0;
      for (let round = 0; round < rounds; round++) {
        for (const variant of ["with", "without"] as const) {
          const result = await measure(backend, VARIANTS[variant].path);
          times[variant].push(result.event_ns);
          events += result.events;
        }
      }
      const added = times.with.map((time, i) => time - times.without[i]!);
      const added_ns = median(added);
      const bytes = bytesPerProgram(backend);
      return {
        stats: { added_ns, bytes_per_program: bytes },
        bytes_per_program_and_cpu: bytes / backend.cpus,
        event_ns: { with: median(times.with), without: median(times.without) },
        added_ns_each_round: added,
        cpu_share_at_100000_events_per_s: (added_ns * EVENTS_PER_S) / 1e9,
        events,
        rounds,
        method:
          "run_time_ns / run_cnt of enter and exit together, median over rounds of with - without; memory as the kernel accounts it",
        machine: machine(),
      };
    } finally {
      backend.close();
    }
  },
};
