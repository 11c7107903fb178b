/** The decision of `bpf/include/bpf_sampling.h` itself, as compiled for the collectors, on the simulated machine. */
import type { BpfMap, BpfObject, Program } from "#core/backend.ts";
import { fieldReader, fieldReaderPair, fieldWriter, fieldWriterPair } from "#core/btf/fields.ts";
import type { Layout } from "#core/btf/layout.ts";
import { requiredStruct } from "#core/object_parts.ts";
import type { EventTypeNumbers } from "#core/sampling/compile_rules.ts";
import { KEEP_EVERYTHING, type SamplingRules } from "#core/sampling/decision.ts";
import type { StratumCount } from "#core/sampling/sampling_counts.ts";
import { SamplingTable } from "#core/sampling/sampling_table.ts";
import { rateFromHalves } from "#core/sampling/threshold.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import type { Events } from "../workload/events.ts";
import type { Decider } from "./decider.ts";
import type { KeptEvents } from "./kept_events.ts";
import { typeNumbers } from "./type_numbers.ts";

/** `BATCH_EVENTS_MAX` of decide_batch.bpf.c. */
const BATCH_EVENTS = 2048;
const TWO_32 = 2 ** 32;
/** Beside the events and decisions: runtime, stacks, the sampling maps. */
const MEMORY_BASE_BYTES = 32 * 1024 * 1024;

/** What the simulated machine is made of; read by whoever may read files. */
export interface BytecodeParts {
  /** `runtime.wasm`. */
  readonly runtime: Uint8Array | WebAssembly.Module;
  readonly kernelTypes: Uint8Array;
  /** `decide_batch.bpf.o`. */
  readonly object: Uint8Array;
}

const viewOf = (map: BpfMap): DataView => {
  const { buffer, byteOffset, byteLength } = map.memory();
  return new DataView(buffer, byteOffset, byteLength);
};

/** `read.*` take a view and where a `struct sampling_decision` begins. */
function decisionReaders(object: BpfObject) {
  const layout = requiredStruct(object, "sampling_decision");
  return {
    size: layout.size,
    keep: fieldReader(layout, "keep"),
    word: fieldReaderPair(layout, "word"),
    randomness: fieldReaderPair(layout, "randomness"),
  };
}

/** How a `struct lab_batch` is filled. */
function batchWriters(object: BpfObject) {
  const layout = requiredStruct(object, "lab_batch");
  return {
    bytes: new Uint8Array(layout.size),
    first: fieldWriter(layout, "first"),
    count: fieldWriter(layout, "count"),
    peer: fieldWriterPair(layout, "peer"),
  };
}

export class BytecodeDecider implements Decider {
  readonly types: EventTypeNumbers;
  readonly #backend: WasmBackend;
  readonly #program: Program;
  readonly #table: SamplingTable;
  readonly #decisions: DataView;
  readonly #read: ReturnType<typeof decisionReaders>;
  readonly #batch: ReturnType<typeof batchWriters>;
  readonly #batchView: DataView;
  #rules = KEEP_EVERYTHING;

  private constructor(backend: WasmBackend, object: BpfObject, events: Events) {
    const { maps } = object;
    this.#backend = backend;
    this.types = typeNumbers(events);
    this.#program = object.programs.get("decide_batch")!;
    this.#table = new SamplingTable(object);
    this.#decisions = viewOf(maps.get("lab_decisions")!);
    this.#read = decisionReaders(object);
    this.#batch = batchWriters(object);
    this.#batchView = new DataView(this.#batch.bytes.buffer);
    writeEvents(viewOf(maps.get("lab_events")!), requiredStruct(object, "lab_event"), events);
  }

  static async create(parts: BytecodeParts, events: Events): Promise<BytecodeDecider> {
    const backend = await createWasmBackend({
      runtime: parts.runtime,
      kernelTypes: parts.kernelTypes,
      cpus: 1,
      memoryBytes: MEMORY_BASE_BYTES + 64 * events.count,
    });
    const maxEntries = { lab_events: events.count, lab_decisions: events.count };
    const object = backend.open(parts.object, { name: "decide_batch.bpf.o", maxEntries });
    object.load();
    return new BytecodeDecider(backend, object, events);
  }

  publish(rules: SamplingRules): number {
    this.#rules = rules;
    return this.#table.publish(rules);
  }

  totals(): StratumCount[] {
    return this.#table.totals();
  }

  begin(seed: bigint): void {
    const [low, high] = [Number(seed & 0xffffffffn), Number(seed >> 32n)];
    this.#backend.instance.exports.rt_seed(low, high);
    this.#batch.peer.low(this.#batchView, 0, low);
    this.#batch.peer.high(this.#batchView, 0, high);
    // An epoch of its own: no gap reaches into it from the replication before.
    this.#table.publish(this.#rules);
  }

  decide(first: number, end: number, kept: KeptEvents): void {
    for (let from = first; from < end; from += BATCH_EVENTS) {
      const count = Math.min(BATCH_EVENTS, end - from);
      this.#batch.first(this.#batchView, 0, from);
      this.#batch.count(this.#batchView, 0, count);
      this.#program.run(this.#batch.bytes);
      this.#collect(from, from + count, kept);
    }
  }

  #collect(first: number, end: number, kept: KeptEvents): void {
    const view = this.#decisions;
    const { size, keep, word, randomness } = this.#read;
    for (let number = first, at = first * size; number < end; number++, at += size) {
      if (keep(view, at) === 0) continue;
      const pi = rateFromHalves(word.low(view, at), word.high(view, at));
      const [low, high] = [randomness.low(view, at), randomness.high(view, at)];
      kept.add(number, pi, ((high << 8) | (low >>> 24)) >>> 0, low & 0xffffff);
    }
  }

  close(): void {
    this.#backend.close();
  }
}

function writeEvents(view: DataView, layout: Layout, events: Events): void {
  const latency = fieldWriterPair(layout, "latency_ns");
  const connection = fieldWriter(layout, "connection");
  const type = fieldWriter(layout, "type");
  const priority = fieldWriter(layout, "priority");
  const error = fieldWriter(layout, "error");
  for (let i = 0, at = 0; i < events.count; i++, at += layout.size) {
    const latency_ns = events.latencies_ns[i]!;
    latency.low(view, at, latency_ns % TWO_32);
    latency.high(view, at, Math.floor(latency_ns / TWO_32));
    connection(view, at, events.connections[i]!);
    type(view, at, events.types[i]!);
    priority(view, at, events.priorities[i]!);
    error(view, at, events.errors[i]!);
  }
}
