/** What the programs of one loaded object have counted at the sampling decision. */
import type { BpfMap, BpfObject } from "../backend.ts";
import { fieldReader, type NumberReader } from "../btf/fields.ts";
import type { Layout } from "../btf/layout.ts";
import { requiredMap, requiredStruct } from "../object_parts.ts";
import { STRATA } from "./decision.ts";

/** Events of one stratum that reached the decision, and that it kept. */
export interface StratumCount {
  readonly seen: number;
  readonly kept: number;
}

interface CountReaders {
  readonly seen: NumberReader;
  readonly kept: NumberReader;
}

type Sums = { seen: number; kept: number }[];

const zeros = (): Sums => Array.from({ length: STRATA }, () => ({ seen: 0, kept: 0 }));

function readersOf(layout: Layout, path: (stratum: number, name: string) => string) {
  return Array.from({ length: STRATA }, (_, stratum) => ({
    seen: fieldReader(layout, path(stratum, "seen")),
    kept: fieldReader(layout, path(stratum, "kept")),
  }));
}

/** A per-CPU array, read whole: values by CPU, `stride` bytes apart. */
class CpuValues {
  readonly #map: BpfMap;
  readonly #key = new Uint32Array(1);
  readonly #value: Uint8Array;
  readonly view: DataView;
  readonly stride: number;

  constructor(map: BpfMap) {
    this.#map = map;
    this.#value = new Uint8Array(map.valueBytes);
    this.view = new DataView(this.#value.buffer);
    this.stride = Math.ceil(map.spec.valueSize / 8) * 8;
  }

  get length(): number {
    return this.#map.spec.maxEntries;
  }

  read(index: number): this {
    this.#key[0] = index;
    this.#map.lookup(new Uint8Array(this.#key.buffer), this.#value);
    return this;
  }
}

export class SamplingCounts {
  readonly #cpus: CpuValues;
  readonly #now: readonly CountReaders[];
  /** By epoch: what the counts were when a program began to follow it. */
  readonly #epochs: readonly CpuValues[];
  readonly #before: readonly CountReaders[];
  readonly #generation: NumberReader;
  readonly epochsKept: number;

  /** Throws `BpfError` where the object does not sample. */
  constructor(object: BpfObject) {
    const epochs = requiredMap(object, "sampling_epochs");
    this.#cpus = new CpuValues(requiredMap(object, "sampling_cpus"));
    this.epochsKept = epochs.spec.maxEntries / this.#cpus.length;
    this.#epochs = Array.from({ length: this.epochsKept }, () => new CpuValues(epochs));
    const epoch = requiredStruct(object, "sampling_epoch");
    const cpu = requiredStruct(object, "sampling_cpu");
    this.#now = readersOf(cpu, (stratum, name) => `strata[${stratum}].${name}`);
    this.#before = readersOf(epoch, (stratum, name) => `${name}[${stratum}]`);
    this.#generation = fieldReader(epoch, "generation");
  }

  /** Since the object was loaded, by stratum, over all programs and CPUs. */
  totals(): StratumCount[] {
    const sums = zeros();
    for (let program = 0; program < this.#cpus.length; program++) {
      const { view, stride } = this.#cpus.read(program);
      for (let at = 0; at < view.byteLength; at += stride) add(sums, this.#now, view, at, 1);
    }
    return sums;
  }

  /** The same of one generation, which is among the last `epochsKept`. */
  ofGeneration(generation: number): StratumCount[] {
    const sums = zeros();
    for (let program = 0; program < this.#cpus.length; program++) {
      // What is counted now first: an epoch that begins meanwhile is found below.
      const { view, stride } = this.#cpus.read(program);
      this.#epochs.forEach((epoch, slot) => {
        epoch.read(program * this.epochsKept + slot);
      });
      for (let cpu = 0; cpu * stride < view.byteLength; cpu++) {
        this.#addEpoch(sums, generation, cpu);
      }
    }
    return sums;
  }

  /** From where a program began to follow the generation to where it began with the next, or to now. */
  #addEpoch(sums: Sums, generation: number, cpu: number): void {
    let next: { readonly number: number; readonly values: CpuValues } | undefined;
    let own: CpuValues | undefined;
    this.#epochs.forEach((values, slot) => {
      const number = this.#generation(values.view, cpu * values.stride);
      // A slot that was never used says 0, and is another's than that of 0.
      if (number % this.epochsKept !== slot) return;
      if (number === generation) own = values;
      if (number > generation && number < (next?.number ?? Infinity)) next = { number, values };
    });
    if (own === undefined) return;
    add(sums, this.#before, own.view, cpu * own.stride, -1);
    if (next === undefined) add(sums, this.#now, this.#cpus.view, cpu * this.#cpus.stride, 1);
    else add(sums, this.#before, next.values.view, cpu * next.values.stride, 1);
  }
}

function add(
  sums: Sums,
  readers: readonly CountReaders[],
  view: DataView,
  at: number,
  sign: 1 | -1,
): void {
  readers.forEach(({ seen, kept }, stratum) => {
    sums[stratum]!.seen += sign * seen(view, at);
    sums[stratum]!.kept += sign * kept(view, at);
  });
}
