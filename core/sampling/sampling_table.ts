/** The kernel's table of thresholds, and its counts, of one loaded object. */
import type { BpfMap, BpfObject } from "../backend.ts";
import { fieldWriter, fieldWriterPair } from "../btf/fields.ts";
import { findField } from "../btf/find_field.ts";
import type { Layout } from "../btf/layout.ts";
import { requiredMap, requiredStruct } from "../object_parts.ts";
import type { SamplingRules } from "./decision.ts";
import { GAP_DIGITS, gapDigit, SKIP_BITS_MAX, skipBits } from "./gap_digits.ts";
import { SamplingCounts, type StratumCount } from "./sampling_counts.ts";
import { packWord } from "./threshold.ts";

/** `SAMPLING_CONSISTENT` of sampling_tables.h. */
const CONSISTENT = 1;

export class SamplingTable {
  readonly #map: BpfMap;
  readonly #layout: Layout;
  readonly #generationOffset: number;
  readonly #counts: SamplingCounts;
  #generation = 0n;

  /** Throws `BpfError` where the object does not sample. */
  constructor(object: BpfObject) {
    this.#map = requiredMap(object, ".data.sampling");
    this.#layout = requiredStruct(object, "sampling_table");
    this.#generationOffset = findField(this.#layout, "generation").offset;
    this.#counts = new SamplingCounts(object);
    this.#writeGaps();
  }

  #writeGaps(): void {
    const view = this.#memoryView();
    const first = findField(this.#layout, "gap_digits[0][0]").offset;
    for (let bits = 1; bits <= SKIP_BITS_MAX; bits++) {
      for (let place = 0; place < GAP_DIGITS; place++) {
        const at = first + 4 * (bits * GAP_DIGITS + place);
        view.setUint32(at, gapDigit(bits, place), true);
      }
    }
  }

  #memoryView(): DataView {
    const memory = this.#map.memory();
    return new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  }

  /** Generation in force; events carry its low byte as their epoch. */
  get generation(): bigint {
    return this.#generation;
  }

  /** Puts other rules in force, by one store. Returns the epoch of events that follow them. */
  publish(rules: SamplingRules): number {
    const view = this.#memoryView();
    const next = this.#generation + 1n;
    const epoch = Number(next & 0xffn);
    const set = `rules[${Number(next & 1n)}]`;
    const words = findField(this.#layout, `${set}.words[0]`).offset;
    const skips = findField(this.#layout, `${set}.skip_bits[0]`).offset;
    rules.thresholds.forEach((threshold, stratum) => {
      view.setBigUint64(words + 8 * stratum, packWord(epoch, threshold), true);
      // A hash knows no gaps.
      view.setUint8(skips + stratum, rules.consistent ? 0 : skipBits(threshold));
    });
    const slow_ns = fieldWriterPair(this.#layout, `${set}.slow_ns`);
    slow_ns.low(view, 0, rules.slow_ns % 2 ** 32);
    slow_ns.high(view, 0, Math.floor(rules.slow_ns / 2 ** 32));
    fieldWriter(this.#layout, `${set}.priority_from`)(view, 0, rules.priorityFrom);
    fieldWriter(this.#layout, `${set}.flags`)(view, 0, rules.consistent ? CONSISTENT : 0);
    // The store that programs see: whole, and after all that it makes visible.
    const cell = new BigUint64Array(view.buffer, view.byteOffset + this.#generationOffset, 1);
    Atomics.store(cell, 0, next);
    this.#generation = next;
    return epoch;
  }

  /** Counts since the object was loaded, by stratum, over all programs and CPUs. */
  totals(): StratumCount[] {
    return this.#counts.totals();
  }

  /** The same of one generation; undefined where it is not among the last few, whose counts are kept apart. */
  countsOf(generation: bigint): StratumCount[] | undefined {
    const age = this.#generation - generation;
    if (age < 0n || age >= this.#counts.epochsKept) return undefined;
    return this.#counts.ofGeneration(Number(generation));
  }
}
