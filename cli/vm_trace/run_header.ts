/** The line that begins a run. */
import type { Step } from "#wasm/tracing/tracer.ts";
import type { TraceSession } from "./traced_run.ts";

export interface RunHeader {
  readonly run: number;
  readonly program: string;
  readonly cpu: number;
  /** Virtual time. */
  readonly time_ns: bigint;
}

export function runHeader({ backend }: TraceSession, run: number, first: Step): RunHeader {
  const { exports } = backend.instance;
  const cpu = exports.rt_cpu_current();
  return { run, program: first.program.functionName(first.slot), cpu, time_ns: backend.now_ns() };
}

export function formatHeader({ run, program, cpu, time_ns }: RunHeader): string {
  return `run ${run}: ${program} on CPU ${cpu} at ${time_ns} ns`;
}
