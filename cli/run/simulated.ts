/** `run` on the wasm backend: a trace or a generated workload through the collectors' bytecode. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { BpfObject, Link } from "#core/backend.ts";
import { BpfError } from "#core/errors.ts";
import type { CollectorSpec } from "#core/events/collectors.ts";
import { CollectorPipeline } from "#core/pipeline/collector_pipeline.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import { type TraceBlock, TraceReader } from "#core/trace/reader.ts";
import type { TraceSchema } from "#core/trace/schema.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import { Replayer } from "#wasm/world/replayer.ts";
import { createWorkload } from "#wasm/world/workload.ts";
import { readArtifact } from "../artifacts.ts";
import { decompressBlock } from "../zstd.ts";
import { Progress } from "./progress.ts";
import { createReport, type RunReport, type SourceSummary } from "./report.ts";

/**
 * Rings hold more than this many of the largest records, so a replay that drains this often loses
 * nothing to a full ring.
 */
const RECORDS_PER_DRAIN = 2048;

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
}

interface OpenSource {
  readonly name: string;
  readonly schema: TraceSchema;
  readonly blocks: AsyncIterable<TraceBlock>;
}

async function openTrace(path: string): Promise<OpenSource> {
  try {
    await stat(path);
  } catch (cause) {
    throw new BpfError(`open ${path}`, "no such file, or not readable", {
      hint: "make a trace with tapio-bpf trace import",
      cause,
    });
  }
  const stream = createReadStream(path, { highWaterMark: 1 << 20 });
  const reader = await TraceReader.open(stream, { decompress: decompressBlock });
  return { name: path, schema: reader.schema, blocks: reader };
}

function openSource(options: SimulatedRunOptions): Promise<OpenSource> {
  const { source, cpus, seed } = options;
  if (source.kind === "trace") return openTrace(source.path);
  const workload = createWorkload(source.name, {
    duration_s: source.duration_s,
    cpus: cpus === 0 ? 2 : cpus,
    seed,
  });
  return Promise.resolve({ name: `workload ${source.name}`, ...workload });
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

async function replay(
  source: OpenSource,
  replayer: Replayer,
  limit_s: number | undefined,
  collectors: Collectors,
  progress: Progress,
): Promise<number> {
  let lost = 0;
  for await (const block of source.blocks) {
    if (block.kind === "tasks") replayer.tasks(block);
    else if (block.kind === "loss") for (const { records } of block.losses) lost += records;
    else if (block.kind === "events") {
      replayer.events(block, RECORDS_PER_DRAIN, collectors.drain);
      progress.update(replayer.records, replayer.span_s);
      if (limit_s !== undefined && replayer.span_s >= limit_s) break;
    }
  }
  collectors.drain();
  return lost;
}

/** Runs to the end of the source. Throws `BpfError` on bad input; nothing stays open. */
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
    const limit_s = options.source.kind === "trace" ? options.source.duration_s : undefined;
    const lost = await replay(source, replayer, limit_s, collectors, progress);
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
