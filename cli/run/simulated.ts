/** `run` on the wasm backend: a trace or a generated workload through the collectors' bytecode. */
import { setImmediate as turn } from "node:timers/promises";
import { type Config, DEFAULT_CONFIG } from "#core/config/config.ts";
import type { CollectorSpec } from "#core/events/collectors.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import { countBefore, type EventBlock } from "#core/trace/event_block.ts";
import type { TraceBlock } from "#core/trace/reader.ts";
import type { TraceSchema } from "#core/trace/schema.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import type { CoverageCollector } from "#wasm/coverage/collector.ts";
import type { Mode } from "#wasm/engines/engine.ts";
import { Replayer } from "#wasm/world/replayer.ts";
import { createWorkload } from "#wasm/world/workload.ts";
import { readArtifact } from "../artifacts.ts";
import { type ServiceOptions, Services } from "../daemon/services.ts";
import { openTrace } from "../trace_file.ts";
import { Pacer } from "./pacer.ts";
import { Progress } from "./progress.ts";
import { type RunReport, reportOf } from "./report.ts";
import { Running } from "./running.ts";

/**
 * Rings hold more than this many of the largest records, so a replay that drains this often loses
 * nothing to a full ring.
 */
const RECORDS_PER_DRAIN = 2048;
/** Time after which the event loop gets its turn: signals must not starve. */
const TURN_MS = 20;

/** Without a duration a trace runs to its end, and a workload until it is stopped. */
export type SimulatedSource =
  | { readonly kind: "trace"; readonly path: string; readonly duration_s: number | undefined }
  | { readonly kind: "workload"; readonly name: string; readonly duration_s: number | undefined };

export interface SimulatedRunOptions {
  readonly collectors: readonly CollectorSpec[];
  readonly source: SimulatedSource;
  readonly sinks: readonly Sink[];
  /** Default: every event passes. */
  readonly config?: Config;
  /** Offered to the outside while the run lasts; default nothing. */
  readonly services?: Omit<ServiceOptions, "stop">;
  readonly engine: string;
  /** What programs are watched for; default `checked`. */
  readonly mode?: Mode;
  /** Virtual CPUs; 0 takes as many as the source has. */
  readonly cpus: number;
  readonly seed: number;
  /** Mean number of helper calls between preemptions; 0 = never. */
  readonly preemptionInterval: number;
  readonly progress: boolean;
  /** Counts the lines that the collectors run; the engine `aot` alone can. */
  readonly coverage?: CoverageCollector | undefined;
  /** Seconds of the source in a second of real time; default as fast as it goes. */
  readonly pace?: number | undefined;
  /** Ends the run before its time. */
  readonly signal?: AbortSignal;
}

interface OpenSource {
  readonly name: string;
  readonly schema: TraceSchema;
  readonly blocks: AsyncIterable<TraceBlock>;
  /** Gives back what the source holds, also where no block was asked for. */
  readonly close: () => Promise<void>;
}

async function openSource(options: SimulatedRunOptions): Promise<OpenSource> {
  const { source, cpus, seed } = options;
  if (source.kind === "trace") {
    const reader = await openTrace(source.path);
    const close = () => reader.close();
    return { name: source.path, schema: reader.schema, blocks: reader, close };
  }
  const workload = createWorkload(source.name, {
    duration_s: source.duration_s ?? Number.POSITIVE_INFINITY,
    cpus: cpus === 0 ? 2 : cpus,
    seed,
  });
  return { name: `workload ${source.name}`, ...workload, close: async () => {} };
}

/** Blocks up to `duration_s` after the first event, with turns of the event loop in between. */
async function* limited(
  { blocks }: OpenSource,
  { source, pace }: SimulatedRunOptions,
  signal: AbortSignal,
): AsyncGenerator<TraceBlock, void, undefined> {
  let end_ns: bigint | undefined;
  let turned_ms = performance.now();
  const pacer = pace === undefined ? undefined : new Pacer(pace);
  for await (const block of blocks) {
    if (performance.now() - turned_ms > TURN_MS) {
      await turn();
      turned_ms = performance.now();
    }
    if (signal.aborted) return;
    if (block.kind === "events") await pacer?.until(block.base_ns, signal);
    if (block.kind !== "events" || source.duration_s === undefined) {
      yield block;
      continue;
    }
    end_ns ??= block.base_ns + BigInt(Math.ceil(source.duration_s * 1e9));
    const count = countBefore(block, end_ns);
    if (count > 0) yield { ...block, count } satisfies EventBlock;
    if (count < block.count) return;
  }
}

/** Runs the whole source; returns how many records the recorder lost. */
async function replay(
  blocks: AsyncIterable<TraceBlock>,
  replayer: Replayer,
  running: Running,
  progress: Progress,
): Promise<number> {
  let lost = 0;
  for await (const block of blocks) {
    if (running.sourceWaits) await running.ready();
    if (block.kind === "tasks") replayer.tasks(block);
    else if (block.kind === "loss") for (const { records } of block.losses) lost += records;
    else if (block.kind === "events") {
      replayer.events(block, RECORDS_PER_DRAIN, running.drain);
      progress.update(replayer.records, replayer.span_s);
    }
  }
  running.drain();
  return lost;
}

/** Runs to the end of the source, or until `signal`. Throws `BpfError` on bad input; nothing stays open. */
export async function runSimulated(options: SimulatedRunOptions): Promise<RunReport> {
  const source = await openSource(options);
  try {
    return await runFrom(source, options);
  } finally {
    await source.close();
  }
}

async function runFrom(source: OpenSource, options: SimulatedRunOptions): Promise<RunReport> {
  const backend = await createWasmBackend({
    runtime: readArtifact("wasm/runtime.wasm"),
    kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
    cpus: options.cpus === 0 ? source.schema.cpus : options.cpus,
    seed: options.seed,
    engine: options.engine,
    ...(options.mode === undefined ? {} : { mode: options.mode }),
    preemptionInterval: options.preemptionInterval,
    ...(options.coverage === undefined ? {} : { instrument: options.coverage.instrument }),
  });
  try {
    return await runOn(backend, source, options);
  } finally {
    backend.close();
  }
}

async function runOn(
  backend: WasmBackend,
  source: OpenSource,
  options: SimulatedRunOptions,
): Promise<RunReport> {
  const progress = new Progress(options.progress);
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])]);
  const replayer = new Replayer(backend, source.schema);
  const { collectors, sinks, config = DEFAULT_CONFIG } = options;
  const running = await Running.open(backend, collectors, config, {
    sinks,
    sourceWaits: options.pace === undefined,
  });
  const services =
    options.services &&
    (await Services.start(running, { ...options.services, stop: () => stop.abort() }));
  try {
    running.attach();
    const lost = await replay(limited(source, options, signal), replayer, running, progress);
    for (const sink of running.sinks) await sink.flush();
    return reportOf(running, {
      name: source.name,
      records: replayer.records,
      unattached: backend.instance.exports.replay_unattached(),
      span_s: replayer.span_s,
      lost,
    });
  } finally {
    progress.end();
    await services?.close();
    await running.close();
  }
}
