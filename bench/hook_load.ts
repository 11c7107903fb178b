/**
 * The system call collector at the real hooks, under system calls that `dd` makes: two for every byte that it
 * copies. The kernel itself takes the time of every run (BPF_ENABLE_STATS).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import type { BpfObject } from "#core/backend.ts";
import { BpfError } from "#core/errors.ts";
import type { KernelBackend } from "#kernel/backend.ts";
import { checkMachine } from "#kernel/probes.ts";
import { compileObject } from "../scripts/build_bpf.ts";

const SOURCE = "bpf/syscall_monitor.bpf.c";
const BYTES_COPIED = 150_000;

export interface HookTimes {
  /** A run of the enter program and one of the exit program: one event. */
  readonly event_ns: number;
  readonly exit_ns: number;
  readonly events: number;
}

/** Throws `BpfError` in one line where this machine cannot load BPF. */
export function requireKernel(bench: string): void {
  const failed = checkMachine().find(({ ok }) => !ok);
  if (failed === undefined) return;
  throw new BpfError(bench, `it needs a kernel: ${failed.name}: ${failed.detail}`, {
    hint: "tapio-bpf doctor says what this machine lacks",
  });
}

/** Compiles a variant of the collector; returns the object's path. */
export function compileVariant(name: string, flags: readonly string[]): string {
  const path = `build/bench/${name}.bpf.o`;
  mkdirSync("build/bench", { recursive: true });
  compileObject(SOURCE, path, flags);
  return path;
}

export function openVariant(backend: KernelBackend, path: string): BpfObject {
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

/** One round; `prepare` sets the object up before its programs attach. */
export async function measureVariant(
  backend: KernelBackend,
  path: string,
  prepare: (object: BpfObject) => void = () => {},
): Promise<HookTimes> {
  const object = openVariant(backend, path);
  prepare(object);
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
    const [enter_ns = 0, exit_ns = 0] = each;
    return { event_ns: enter_ns + exit_ns, exit_ns, events: after[1]![1] - before[1]![1] };
  } finally {
    for (const link of links) link.close();
    ring.close();
    object.close();
  }
}
