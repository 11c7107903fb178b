/** `run` on the kernel backend: the collectors watch this machine. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Config, DEFAULT_CONFIG } from "#core/config/config.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import type { CollectorSpec } from "#core/events/collectors.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import { createKernelBackend, type KernelBackend } from "#kernel/backend.ts";
import { type ServiceOptions, Services } from "../daemon/services.ts";
import { follow } from "./follow.ts";
import { hooksFor } from "./hooks.ts";
import { type RunReport, reportOf } from "./report.ts";
import { Running } from "./running.ts";

export interface KernelRunOptions {
  readonly collectors: readonly CollectorSpec[];
  readonly sinks: readonly Sink[];
  /** Default: every event passes. */
  readonly config?: Config;
  /** Offered to the outside while the run lasts; default nothing. */
  readonly services?: Omit<ServiceOptions, "stop">;
  /** Without it the run lasts until `signal`. */
  readonly duration_s?: number | undefined;
  /** Whether this process's own doing counts; default no: a collector that saw its own system calls would feed itself. */
  readonly includeSelf?: boolean;
  /** Ends the run before its time. */
  readonly signal?: AbortSignal;
}

/** How long runs that were under way at the end may take to commit their records. */
const SETTLE_MS = 500;

/** After `detach`: waits for runs that had begun, and empties the rings. */
async function settle(running: Running): Promise<void> {
  const deadline_ms = performance.now() + SETTLE_MS;
  do {
    await sleep(1);
    running.drain();
  } while (running.unreadBytes() > 0 && performance.now() < deadline_ms);
}

/** Run times are a nicety that takes CAP_SYS_ADMIN; collecting does not. */
function countRunTimes(backend: KernelBackend): void {
  try {
    backend.enableStatistics();
  } catch (error) {
    if (!(error instanceof BpfError) || error.errno !== ERRNO.EPERM) throw error;
    console.error("tapio-bpf: run times are not counted: that needs CAP_SYS_ADMIN");
  }
}

/** Runs for `duration_s`, or until `signal`. Throws `BpfError`; nothing stays attached. */
export async function runKernel(options: KernelRunOptions): Promise<RunReport> {
  const backend = createKernelBackend();
  try {
    const { collectors, sinks, config = DEFAULT_CONFIG } = options;
    const running = await Running.open(backend, collectors, config, {
      sinks,
      hooks: hooksFor(backend, collectors, config),
      open: { constants: { excluded_pid: options.includeSelf ? 0 : backend.processId() } },
    });
    try {
      return await watch(backend, running, options);
    } finally {
      await running.close();
    }
  } finally {
    backend.close();
  }
}

async function watch(
  backend: KernelBackend,
  running: Running,
  options: KernelRunOptions,
): Promise<RunReport> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])]);
  const end = (): void => stop.abort();
  const services =
    options.services && (await Services.start(running, { ...options.services, stop: end }));
  const { duration_s } = options;
  const timer = duration_s === undefined ? undefined : setTimeout(end, duration_s * 1000);
  try {
    countRunTimes(backend);
    running.attach();
    await follow(running, signal);
    running.detach();
    await settle(running);
    for (const sink of running.sinks) await sink.flush();
    return reportOf(running);
  } finally {
    clearTimeout(timer);
    await services?.close();
  }
}
