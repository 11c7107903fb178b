/**
 * Reads the kernel side of the books: the per-CPU statistics that every collector keeps.
 */
import type { BpfMap } from "../backend.ts";
import type { Btf } from "../btf/btf.ts";
import { fieldReader, type NumberReader } from "../btf/fields.ts";
import { findField } from "../btf/find_field.ts";
import { type Layout, layoutOf } from "../btf/layout.ts";
import { findType } from "../btf/queries.ts";
import { BpfError } from "../errors.ts";

/** Counters of one program on one CPU; names as in `struct bpf_statistics`. */
const COUNTERS = [
  "invocations",
  "events_sent",
  "events_dropped",
  "errors",
  "last_update_ns",
  "bytes_processed",
  "filter_hits",
  "filter_misses",
  "events_seen",
  "rate_limited",
  "sampled_out",
  "dropped_ring_full",
  "dropped_ring_reserved",
  "completions",
  "timed_run_ns",
] as const;

export type CounterName = (typeof COUNTERS)[number];
export type ProgramCounters = Readonly<Record<CounterName, number>>;

const ARRAYS = ["seen_by_type", "sent_by_type", "run_time_log2"] as const;

/**
 * Counters of one program that come in rows, summed over CPUs. Event types beyond the array share
 * its elements (`type % length`); bucket i of `run_time_log2` counts timed runs of [2^i, 2^(i+1)) ns.
 */
export type ProgramHistograms = Readonly<Record<(typeof ARRAYS)[number], Float64Array>>;

export class StatisticsMap {
  readonly #map: BpfMap;
  readonly #readers: readonly (readonly [CounterName, NumberReader])[];
  readonly #maxima: readonly NumberReader[];
  readonly #arrays: readonly (readonly [keyof ProgramHistograms, readonly NumberReader[]])[];
  readonly #stride: number;
  readonly #key = new Uint8Array(4);
  readonly #keyView = new DataView(this.#key.buffer);
  readonly #value: Uint8Array;
  readonly #view: DataView;

  constructor(map: BpfMap, btf: Btf) {
    const id = findType(btf, "bpf_statistics", "struct");
    if (id === undefined) {
      throw new BpfError(`map ${map.name}`, "its object declares no struct bpf_statistics", {
        hint: "rebuild the object with -g from the sources of this version",
      });
    }
    const layout = layoutOf(btf, id);
    this.#map = map;
    this.#readers = COUNTERS.map((name) => [name, fieldReader(layout, name)] as const);
    this.#arrays = ARRAYS.map((name) => [name, elementReaders(layout, name)] as const);
    this.#maxima = elementReaders(layout, "left_out_latency_max_ns");
    this.#stride = Math.ceil(map.spec.valueSize / 8) * 8;
    this.#value = new Uint8Array(map.valueBytes);
    this.#view = new DataView(this.#value.buffer);
  }

  get cpus(): number {
    return this.#map.valueBytes / this.#stride;
  }

  /** Counters of program `index` on every CPU, in CPU order. */
  read(index: number): ProgramCounters[] {
    this.#fetch(index);
    const counters: ProgramCounters[] = [];
    for (let cpu = 0; cpu < this.cpus; cpu++) counters.push(this.#readCpu(cpu));
    return counters;
  }

  /** Rows of counters of program `index`. */
  readHistograms(index: number): ProgramHistograms {
    this.#fetch(index);
    const histograms = {} as Record<keyof ProgramHistograms, Float64Array>;
    for (const [name, readers] of this.#arrays) {
      histograms[name] = Float64Array.from(readers, (read) => this.#sum(read));
    }
    return histograms;
  }

  /** Longest latency of program `index`'s events that sampling left out, by type (`type % length`), in ns. */
  readLeftOutMaxima(index: number): Float64Array {
    this.#fetch(index);
    return Float64Array.from(this.#maxima, (read) => {
      let largest = 0;
      for (let cpu = 0; cpu < this.cpus; cpu++) {
        largest = Math.max(largest, read(this.#view, cpu * this.#stride));
      }
      return largest;
    });
  }

  #fetch(index: number): void {
    this.#keyView.setUint32(0, index, true);
    if (this.#map.lookup(this.#key, this.#value)) return;
    throw new BpfError(`map ${this.#map.name}`, `has no statistics of program ${index}`);
  }

  #sum(read: NumberReader): number {
    let total = 0;
    for (let cpu = 0; cpu < this.cpus; cpu++) total += read(this.#view, cpu * this.#stride);
    return total;
  }

  #readCpu(cpu: number): ProgramCounters {
    const counters = {} as Record<CounterName, number>;
    for (const [name, read] of this.#readers) counters[name] = read(this.#view, cpu * this.#stride);
    return counters;
  }
}

function elementReaders(layout: Layout, name: string): NumberReader[] {
  const length = findField(layout, name).size / findField(layout, `${name}[0]`).size;
  return Array.from({ length }, (_, index) => fieldReader(layout, `${name}[${index}]`));
}
