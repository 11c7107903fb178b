/** The kernel's table of thresholds, and its counts, of one loaded object. */
import type { BpfMap, BpfObject } from "../backend.ts";
import { fieldReader, fieldWriter, fieldWriterPair, type NumberReader } from "../btf/fields.ts";
import { findField, type Layout } from "../btf/layout.ts";
import { requiredMap, requiredStruct } from "../object_parts.ts";
import { type SamplingRules, STRATA } from "./decision.ts";
import { packWord } from "./threshold.ts";

/** `SAMPLING_CONSISTENT` of bpf_sampling.h. */
const CONSISTENT = 1;

/** Events of one stratum that reached the decision, and that it kept. */
export interface StratumCount {
  readonly seen: number;
  readonly kept: number;
}

export class SamplingTable {
  readonly #map: BpfMap;
  readonly #counts: BpfMap;
  readonly #layout: Layout;
  readonly #generationOffset: number;
  readonly #countReaders: Readonly<Record<"total_seen" | "total_kept", NumberReader>>;
  readonly #stride: number;
  readonly #epochs: number;
  readonly #value: Uint8Array;
  readonly #view: DataView;
  readonly #key = new Uint32Array(1);
  #generation = 0n;

  /** Throws `BpfError` where the object does not sample. */
  constructor(object: BpfObject) {
    this.#map = requiredMap(object, ".data.sampling");
    this.#counts = requiredMap(object, "sampling_counts");
    this.#layout = requiredStruct(object, "sampling_table");
    this.#generationOffset = findField(this.#layout, "generation").offset;
    const count = requiredStruct(object, "sampling_count");
    this.#countReaders = {
      total_seen: fieldReader(count, "total_seen"),
      total_kept: fieldReader(count, "total_kept"),
    };
    const { spec, valueBytes } = this.#counts;
    this.#stride = Math.ceil(spec.valueSize / 8) * 8;
    this.#epochs = spec.maxEntries / STRATA;
    this.#value = new Uint8Array(valueBytes);
    this.#view = new DataView(this.#value.buffer);
  }

  /** Generation in force; events carry its low byte as their epoch. */
  get generation(): bigint {
    return this.#generation;
  }

  /** Puts other rules in force, by one store. Returns the epoch of events that follow them. */
  publish(rules: SamplingRules): number {
    const memory = this.#map.memory();
    const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    const next = this.#generation + 1n;
    const epoch = Number(next & 0xffn);
    const set = `rules[${Number(next & 1n)}]`;
    const words = BigInt(findField(this.#layout, `${set}.words[0]`).offset);
    rules.thresholds.forEach((threshold, stratum) => {
      view.setBigUint64(Number(words) + 8 * stratum, packWord(epoch, threshold), true);
    });
    fieldWriterPair(this.#layout, `${set}.slow_ns`).low(view, 0, rules.slow_ns % 2 ** 32);
    fieldWriterPair(this.#layout, `${set}.slow_ns`).high(
      view,
      0,
      Math.floor(rules.slow_ns / 2 ** 32),
    );
    fieldWriter(this.#layout, `${set}.priority_from`)(view, 0, rules.priorityFrom);
    fieldWriter(this.#layout, `${set}.flags`)(view, 0, rules.consistent ? CONSISTENT : 0);
    // The store that programs see: whole, and after all that it makes visible.
    const cell = new BigUint64Array(memory.buffer, memory.byteOffset + this.#generationOffset, 1);
    Atomics.store(cell, 0, next);
    this.#generation = next;
    return epoch;
  }

  /** Counts since the object was loaded, by stratum, over all CPUs. */
  totals(): StratumCount[] {
    const totals = Array.from({ length: STRATA }, () => ({ seen: 0, kept: 0 }));
    for (let slot = 0; slot < STRATA * this.#epochs; slot++) {
      this.#key[0] = slot;
      this.#counts.lookup(new Uint8Array(this.#key.buffer), this.#value);
      const total = totals[slot % STRATA]!;
      for (let at = 0; at < this.#value.length; at += this.#stride) {
        total.seen += this.#countReaders.total_seen(this.#view, at);
        total.kept += this.#countReaders.total_kept(this.#view, at);
      }
    }
    return totals;
  }
}
