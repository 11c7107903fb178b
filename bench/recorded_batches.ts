/** The events of a recording as each collector's ring records, for benches and tests of encodings. */
import { fileURLToPath } from "node:url";
import type { RecordBatch } from "#core/backend.ts";
import { createRecordSchema, type RecordSchema } from "#core/batching/encoding/record_schema.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import { createWasmBackend } from "#wasm/backend.ts";
import { readArtifact } from "../cli/artifacts.ts";
import { runSimulated } from "../cli/run/simulated.ts";

export const SAMPLE_TRACE = fileURLToPath(new URL("../samples/web-loss.trace", import.meta.url));

/** Records of one collector, one after the other in `buffer`. */
export interface RecordedEvents {
  readonly schema: RecordSchema;
  /** What the pipeline reads them by. */
  readonly events: EventSchema;
  readonly all: RecordBatch;
}

/** Keeps a copy of everything, by collector. */
class Recorder implements Sink {
  readonly name = "recorder";
  readonly schemas = new Map<string, EventSchema>();
  readonly records = new Map<string, Uint8Array[]>();

  write({ buffer, offsets, lengths, count }: RecordBatch, schema: EventSchema): void {
    const { name } = schema.collector;
    this.schemas.set(name, schema);
    const records = this.records.get(name) ?? [];
    this.records.set(name, records);
    for (let i = 0; i < count; i++) {
      records.push(buffer.slice(offsets[i]!, offsets[i]! + lengths[i]!));
    }
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

/** Records as a ring would hand them over. */
export function batchOf(records: readonly Uint8Array[]): RecordBatch {
  const lengths = Uint32Array.from(records, ({ length }) => length);
  const offsets = new Uint32Array(records.length);
  let end = 0;
  lengths.forEach((length, i) => {
    offsets[i] = end;
    end += length;
  });
  const buffer = new Uint8Array(end);
  for (const [i, record] of records.entries()) buffer.set(record, offsets[i]);
  return { buffer, view: new DataView(buffer.buffer), offsets, lengths, count: records.length };
}

/** Records `first` to `first + count` of a batch, without a copy of their bytes. */
export function sliceBatch(batch: RecordBatch, first: number, count: number): RecordBatch {
  const end = Math.min(batch.count, first + count);
  return {
    buffer: batch.buffer,
    view: batch.view,
    offsets: batch.offsets.subarray(first, end),
    lengths: batch.lengths.subarray(first, end),
    count: end - first,
  };
}

/** The record schema of a collector, from its compiled object. */
export async function recordSchemaOf(collector: string): Promise<RecordSchema> {
  const spec = COLLECTORS.get(collector)!;
  const backend = await createWasmBackend({
    runtime: readArtifact("wasm/runtime.wasm"),
    kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
    cpus: 1,
    seed: 1,
  });
  try {
    const object = backend.open(readArtifact(`bpf/${spec.object}`), { name: spec.object });
    return createRecordSchema(object.btf, spec);
  } finally {
    backend.close();
  }
}

/** Replays a recording through every collector on the simulated machine. */
export async function recordedEvents(trace: string): Promise<RecordedEvents[]> {
  const recorder = new Recorder();
  await runSimulated({
    collectors: [...COLLECTORS.values()],
    source: { kind: "trace", path: trace, duration_s: undefined },
    sinks: [recorder],
    engine: "aot",
    cpus: 0,
    seed: 1,
    preemptionInterval: 0,
    progress: false,
  });
  const recorded: RecordedEvents[] = [];
  for (const [name, records] of recorder.records) {
    recorded.push({
      schema: await recordSchemaOf(name),
      events: recorder.schemas.get(name)!,
      all: batchOf(records),
    });
  }
  return recorded;
}
