/** `run` on the wasm backend: a trace or a generated workload through the collectors' bytecode. */
import { setImmediate as turn } from "node:timers/promises";
import type { BpfObject, Link } from "#core/backend.ts";
import type { CollectorSpec } from "#core/events/collectors.ts";
import { CollectorPipeline } from "#core/pipeline/collector_pipeline.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import { countBefore, type EventBlock } from "#core/trace/event_block.ts";
import type { TraceBlock } from "#core/trace/reader.ts";
import type { TraceSchema } from "#core/trace/schema.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import { Replayer } from "#wasm/world/replayer.ts";
import { createWorkload } from "#wasm/world/workload.ts";
import { readArtifact } from "../artifacts.ts";
import { openTrace } from "../trace_file.ts";
import { Progress } from "./progress.ts";
import { createReport, type RunReport, type SourceSummary } from "./report.ts";

/**
 * Rings hold more than this many of the largest records, so a replay that drains this often loses
 * nothing to a full ring.
 */
const RECORDS_PER_DRAIN = 2048;
/** Time after which the event loop gets its turn: signals must not starve. */
const TURN_MS = 20;

export type SimulatedSource =
  | { readonly kind: "trace"; readonly path: string; readonly duration_s: number | undefined }
  | { readonly kind: "workload"; readonly name: string; readonly duration_s: number };

export interface SimulatedRunOptions {
  readonly collectors: readonly CollectorSpec[];
  readonly source: SimulatedSource;
  readonly sinks: readonly Sink[];
  readonly engine: string;
  /** Virtual CPUs; 0 takes as many as the source has. */
  readonly cpus: number;
  readonly seed: number;
  /** Mean number of helper calls between preemptions; 0 = never. */
  readonly preemptionInterval: number;
  readonly progress: boolean;
  /** Ends the run before its time. */
  readonly signal?: AbortSignal;
}

interface OpenSource {
  readonly name: string;
  readonly schema: TraceSchema;
  readonly blocks: AsyncIterable<TraceBlock>;
}

async function openSource(options: SimulatedRunOptions): Promise<OpenSource> {
  const { source, cpus, seed } = options;
  if (source.kind === "trace") {
    const reader = await openTrace(source.path);
    return { name: source.path, schema: reader.schema, blocks: reader };
  }
  const workload = createWorkload(source.name, {
    duration_s: source.duration_s,
    cpus: cpus === 0 ? 2 : cpus,
    seed,
  });
  return { name: `workload ${source.name}`, ...workload };
}

/** Opened collectors: objects loaded, programs attached, pipelines ready. */
class Collectors {
  readonly pipelines: CollectorPipeline[] = [];
  readonly #objects: BpfObject[] = [];
  readonly #links: Link[] = [];

  open(backend: WasmBackend, spec: CollectorSpec, sinks: readonly Sink[]): void {
    const object = backend.open(readArtifact(`bpf/${spec.object}`), { name: spec.object });
    this.#objects.push(object);
    object.load();
    for (const program of object.programs.values()) this.#links.push(program.attach());
    this.pipelines.push(new CollectorPipeline(spec, object, backend.cpus, sinks));
  }

  readonly drain = (): void => {
    for (const pipeline of this.pipelines) while (pipeline.pump() > 0);
  };

  close(): void {
    for (const link of this.#links) link.close();
    for (const pipeline of this.pipelines) pipeline.close();
    for (const object of this.#objects) object.close();
  }
}

/** Blocks up to `duration_s` after the first event, with turns of the event loop in between. */
async function* limited(
  { blocks }: OpenSource,
  { source, signal }: SimulatedRunOptions,
): AsyncGenerator<TraceBlock, void, undefined> {
  let end_ns: bigint | undefined;
  let turned_ms = performance.now();
  for await (const block of blocks) {
    if (performance.now() - turned_ms > TURN_MS) {
      await turn();
      turned_ms = performance.now();
    }
    if (signal?.aborted === true) return;
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
  collectors: Collectors,
  progress: Progress,
): Promise<number> {
  let lost = 0;
  for await (const block of blocks) {
    if (block.kind === "tasks") replayer.tasks(block);
    else if (block.kind === "loss") for (const { records } of block.losses) lost += records;
    else if (block.kind === "events") {
      replayer.events(block, RECORDS_PER_DRAIN, collectors.drain);
      progress.update(replayer.records, replayer.span_s);
    }
  }
  collectors.drain();
  return lost;
}

/** Runs to the end of the source, or until `signal`. Throws `BpfError` on bad input; nothing stays open. */
export async function runSimulated(options: SimulatedRunOptions): Promise<RunReport> {
  const started = performance.now();
  const source = await openSource(options);
  const backend = await createWasmBackend({
    runtime: readArtifact("wasm/runtime.wasm"),
    kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
    cpus: options.cpus === 0 ? source.schema.cpus : options.cpus,
    seed: options.seed,
    engine: options.engine,
    preemptionInterval: options.preemptionInterval,
  });
  const collectors = new Collectors();
  const progress = new Progress(options.progress);
  try {
    const replayer = new Replayer(backend, source.schema);
    for (const spec of options.collectors) collectors.open(backend, spec, options.sinks);
    const lost = await replay(limited(source, options), replayer, collectors, progress);
    for (const sink of options.sinks) await sink.flush();
    const summary: SourceSummary = {
      name: source.name,
      records: replayer.records,
      unattached: backend.instance.exports.replay_unattached(),
      span_s: replayer.span_s,
      lost,
    };
    const elapsed_s = (performance.now() - started) / 1000;
    const { engine } = backend;
    return createReport(collectors.pipelines, {
      backend: "wasm",
      engine,
      elapsed_s,
      source: summary,
    });
  } finally {
    progress.end();
    collectors.close();
    backend.close();
  }
}
