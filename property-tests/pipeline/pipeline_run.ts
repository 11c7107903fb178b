/** The whole pipeline on one simulated machine, as properties run it. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import type { BpfObject, OpenOptions, RecordBatch } from "#core/backend.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import type { EventSchema, EventType } from "#core/events/event_schema.ts";
import type { Books } from "#core/pipeline/books.ts";
import { CollectorPipeline } from "#core/pipeline/collector_pipeline.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import { DEFAULT_ENGINE } from "#wasm/engines/engines.ts";
import { Replayer } from "#wasm/world/replayer.ts";
import {
  RECORDING_CPUS,
  RECORDING_SCHEMA,
  type RecordedHook,
  recordingBlocks,
} from "../arbitraries/recordings.ts";
import { StatisticsWatch } from "./statistics_watch.ts";

const runtime = new WebAssembly.Module(
  readArtifact("wasm/runtime.wasm") as Uint8Array<ArrayBuffer>,
);
const kernelTypes = readArtifact("wasm/kernel_types.bpf.o");

export interface Configuration {
  readonly seed: number;
  readonly preemptionInterval: number;
  readonly ringPages: number;
  readonly blockRecords: number;
  readonly recordsPerDrain: number;
  /** How many records each drain may take; 0 leaves the ring to fill. */
  readonly drains: readonly number[];
  readonly constants: Readonly<Record<string, number>>;
}

export const configuration: fc.Arbitrary<Configuration> = fc.record({
  seed: fc.nat(),
  preemptionInterval: fc.constantFrom(0, 1, 2, 7, 50),
  ringPages: fc.constantFrom(1, 2, 16),
  blockRecords: fc.integer({ min: 1, max: 64 }),
  recordsPerDrain: fc.integer({ min: 1, max: 40 }),
  drains: fc.array(fc.constantFrom(0, 1, 3, 1000), { minLength: 1, maxLength: 5 }),
  constants: fc.constantFrom({}, { only_pid: 100 }, { excluded_pid: 101 }, { only_pid: 9999 }),
});

function pidOf({ codec }: EventType, buffer: Uint8Array, at: number): number {
  return (codec.decode(buffer, at) as unknown as { header: { pid: number } }).header.pid;
}

export interface Admitted {
  readonly program: string;
  readonly type: number;
  readonly time_ns: number;
  readonly pid: number;
}

/** Every record once: what user space was handed, in order, by collector. */
export class Journal implements Sink {
  readonly name = "journal";
  readonly records = new Map<string, string[]>();
  /** When, and for whom, by program; in the order of delivery. */
  readonly admitted: Admitted[] = [];
  readonly #digest = createHash("sha256");

  write(batch: RecordBatch, { collector, header, types }: EventSchema): void {
    const lines = this.records.get(collector.name) ?? [];
    for (let i = 0; i < batch.count; i++) {
      const at = batch.offsets[i]!;
      const { view } = batch;
      this.#digest.update(new Uint8Array(view.buffer, view.byteOffset + at, batch.lengths[i]));
      this.admitted.push({
        program: `${collector.name}/${header.program(view, at)}`,
        type: header.type(view, at),
        time_ns: header.timestamp_ns(view, at),
        pid: pidOf(types.get(header.type(view, at))!, batch.buffer, at),
      });
      lines.push(
        `${header.program(view, at)}/${header.cpu(view, at)}/${header.sequence(view, at)}`,
      );
    }
    this.records.set(collector.name, lines);
  }

  /** Of the bytes of every record so far. */
  digest(): string {
    return this.#digest.copy().digest("hex");
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

export interface Outcome {
  readonly books: Record<string, Books>;
  readonly missing: Record<string, number>;
  readonly journal: Journal;
}

function openPipelines(
  backend: WasmBackend,
  configured: Configuration,
  journal: Journal,
  prepare: (object: BpfObject) => void,
): CollectorPipeline[] {
  return [...COLLECTORS.values()].map((spec) => {
    const options: OpenOptions = {
      constants: configured.constants,
      maxEntries: { events: 4096 * configured.ringPages },
    };
    const object = backend.open(readArtifact(`bpf/${spec.object}`), options);
    object.load();
    prepare(object);
    for (const program of object.programs.values()) program.attach();
    return new CollectorPipeline(spec, object, backend.cpus, [journal]);
  });
}

function expectClosed(pipelines: readonly CollectorPipeline[]): void {
  for (const pipeline of pipelines) {
    for (const { program, cpu, books } of pipeline.programBooks()) {
      expect({ program, cpu, residual: books.residual }).toEqual({ program, cpu, residual: 0 });
    }
  }
}

/** Collectors from hook to journal, over `records`; checks that the books close at every drain. */
export async function runPipeline(
  records: readonly RecordedHook[],
  configured: Configuration,
  engine: string = DEFAULT_ENGINE,
  prepare: (object: BpfObject) => void = () => {},
): Promise<Outcome> {
  const backend = await createWasmBackend({
    runtime,
    kernelTypes,
    engine,
    cpus: RECORDING_CPUS,
    seed: configured.seed,
    memoryBytes: 48 * 1024 * 1024,
    preemptionInterval: configured.preemptionInterval,
  });
  const journal = new Journal();
  const pipelines = openPipelines(backend, configured, journal, prepare);
  const replayer = new Replayer(backend, RECORDING_SCHEMA);
  const statistics = new StatisticsWatch(pipelines);
  let turn = 0;
  const drain = (): void => {
    const most = configured.drains[turn++ % configured.drains.length]!;
    if (most > 0) for (const pipeline of pipelines) pipeline.pump(most);
    expectClosed(pipelines);
    statistics.check();
  };
  for (const block of recordingBlocks(records, configured.blockRecords)) {
    if (block.kind === "tasks") replayer.tasks(block);
    if (block.kind === "events") replayer.events(block, configured.recordsPerDrain, drain);
  }
  for (const pipeline of pipelines) while (pipeline.pump() > 0);
  expectClosed(pipelines);
  statistics.check();
  const named = <Value>(value: (pipeline: CollectorPipeline) => Value): Record<string, Value> =>
    Object.fromEntries(pipelines.map((pipeline) => [pipeline.spec.name, value(pipeline)]));
  const outcome = {
    books: named((p) => p.books()),
    missing: named((p) => p.missingSequences()),
    journal,
  };
  backend.close();
  return outcome;
}
