/** `run` on the kernel backend: the collectors watch this machine. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Link } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import type { CollectorSpec } from "#core/events/collectors.ts";
import { CollectorPipeline } from "#core/pipeline/collector_pipeline.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import { createKernelBackend, type KernelBackend } from "#kernel/backend.ts";
import type { KernelObject } from "#kernel/object.ts";
import { readArtifact } from "../artifacts.ts";
import { createReport, type RunReport } from "./report.ts";

export interface KernelRunOptions {
  readonly collectors: readonly CollectorSpec[];
  readonly sinks: readonly Sink[];
  readonly duration_s: number;
  /** Ends the run before its time. */
  readonly signal?: AbortSignal;
}

/** Records after which the event loop gets its turn: signals, timers and sinks must not starve. */
const RECORDS_PER_TURN = 65_536;
/** A record that is committed without a wake-up waits at most this long. */
const WAIT_MS = 100;
/** How long runs that were under way at the end may take to commit their records. */
const SETTLE_MS = 500;

/** The collectors of a run: objects loaded, programs attached, rings read until the end. */
class Collectors {
  readonly pipelines: CollectorPipeline[] = [];
  readonly #objects: KernelObject[] = [];
  readonly #links: Link[] = [];

  load(backend: KernelBackend, spec: CollectorSpec, sinks: readonly Sink[]): void {
    const object = backend.open(readArtifact(`bpf/${spec.object}`), {
      name: spec.object,
      // A collector that saw its own system calls would feed itself.
      constants: { excluded_pid: backend.processId() },
    });
    this.#objects.push(object);
    object.load();
    this.pipelines.push(new CollectorPipeline(spec, object, backend.cpus, sinks));
  }

  attach(): void {
    for (const object of this.#objects) {
      for (const program of object.programs.values()) this.#links.push(program.attach());
    }
  }

  /** Programs end; what they wrote stays to be read. */
  detach(): void {
    for (const link of this.#links.splice(0)) link.close();
  }

  /** Delivers until `stop` is aborted. */
  async follow(stop: AbortSignal): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      if (stop.aborted) resolve();
      stop.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.all(this.pipelines.map((pipeline) => this.#followOne(pipeline, stop, ended)));
  }

  async #followOne(
    pipeline: CollectorPipeline,
    stop: AbortSignal,
    ended: Promise<void>,
  ): Promise<void> {
    while (!stop.aborted) {
      const full = pipeline.pump(RECORDS_PER_TURN) === RECORDS_PER_TURN;
      if (full) await new Promise((resolve) => setImmediate(resolve));
      else await Promise.race([pipeline.ring.wait(WAIT_MS), ended]);
    }
  }

  /** After `detach`: waits for runs that had begun, and empties the rings. */
  async drain(): Promise<void> {
    const deadline_ms = performance.now() + SETTLE_MS;
    do {
      await sleep(1);
      for (const pipeline of this.pipelines) while (pipeline.pump() > 0);
    } while (this.#unread() > 0 && performance.now() < deadline_ms);
  }

  #unread(): number {
    return this.pipelines.reduce((sum, { ring }) => sum + ring.availableBytes(), 0);
  }

  close(): void {
    this.detach();
    for (const pipeline of this.pipelines) pipeline.close();
    for (const object of this.#objects) object.close();
  }
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
  const collectors = new Collectors();
  const stop = new AbortController();
  const end = (): void => stop.abort();
  try {
    for (const spec of options.collectors) collectors.load(backend, spec, options.sinks);
    countRunTimes(backend);
    collectors.attach();
    const started = performance.now();
    const timer = setTimeout(end, options.duration_s * 1000);
    if (options.signal?.aborted) end();
    options.signal?.addEventListener("abort", end, { once: true });
    try {
      await collectors.follow(stop.signal);
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", end);
    }
    collectors.detach();
    await collectors.drain();
    for (const sink of options.sinks) await sink.flush();
    const elapsed_s = (performance.now() - started) / 1000;
    const { kind, engine } = backend;
    return createReport(collectors.pipelines, { backend: kind, engine, elapsed_s });
  } finally {
    collectors.close();
    backend.close();
  }
}
