/** Chooses the transform of a column: the one whose byte planes have the least entropy. */

import type { Column, ColumnGroup } from "./columns.ts";
import {
  canDelta,
  createValues,
  delta,
  gather,
  planeBits,
  TRANSFORM,
  type Values,
  writePlane,
  xor,
} from "./transforms.ts";
import type { ValueDictionary } from "./value_dictionary.ts";

export interface ColumnPlan {
  readonly transform: number;
  /** 0: the record before; n: the group's context n - 1. */
  readonly context: number;
  /** Planes that compression would only cost time, a bit each. */
  readonly noisePlanes: number;
}

/** Bytes that a code table costs for each distinct byte of a plane. */
const BYTES_PER_SYMBOL = 0.6;
/** Bytes of one more plane in the column's description and the decoder's time. */
const BYTES_PER_PLANE = 1;
/** Share of the distinct bytes that noise would show, from which on a plane is noise. */
const NOISE_SHARE = 0.93;

/** Records of a batch that are looked at, at most. */
export const PLAN_RECORDS_MAX = 1024;

interface Cost {
  bytes: number;
  noisePlanes: number;
}

export class ColumnPlanner {
  #values: Values = createValues(0);
  #scratch: Values = createValues(0);
  #plane = new Uint8Array(0);
  readonly #counts = new Uint32Array(256);
  readonly #dictionary: ValueDictionary;

  constructor(dictionary: ValueDictionary) {
    this.#dictionary = dictionary;
  }

  /** By the first records. `predecessors[n]` belongs to context n. */
  plan(
    view: DataView,
    starts: Uint32Array,
    records: number,
    group: ColumnGroup,
    predecessors: readonly Int32Array[],
  ): ColumnPlan[] {
    const count = Math.min(records, PLAN_RECORDS_MAX);
    if (this.#plane.length < count) {
      this.#values = createValues(count);
      this.#scratch = createValues(count);
      this.#plane = new Uint8Array(count);
    }
    return group.columns.map((column, index) => {
      gather(view, starts, count, column, this.#values);
      return this.#best(column, count, group.keyColumns[index]! ? [] : predecessors);
    });
  }

  #best({ width }: Column, count: number, predecessors: readonly Int32Array[]): ColumnPlan {
    const cost: Cost = { bytes: 0, noisePlanes: 0 };
    let least = Number.POSITIVE_INFINITY;
    let best: ColumnPlan = { transform: TRANSFORM.raw, context: 0, noisePlanes: 0 };
    const consider = (transform: number, context: number, extra_bytes = 0): void => {
      if (cost.bytes + extra_bytes >= least) return;
      least = cost.bytes + extra_bytes;
      best = { transform, context, noisePlanes: cost.noisePlanes };
    };
    this.#judge(this.#values, count, width, cost);
    consider(TRANSFORM.raw, 0);
    if (this.#dictionary.build(this.#values, count, this.#scratch)) {
      this.#judge(this.#scratch, count, 1, cost);
      cost.noisePlanes = 0;
      consider(TRANSFORM.dictionary, 0, this.#dictionary.count * width);
    }
    for (let context = 0; context <= predecessors.length; context++) {
      const previous = context === 0 ? undefined : predecessors[context - 1];
      if (canDelta(width)) {
        delta(this.#values, count, width, previous, this.#scratch);
        this.#judge(this.#scratch, count, width, cost);
        consider(TRANSFORM.delta, context, width);
      }
      xor(this.#values, count, width, previous, this.#scratch);
      this.#judge(this.#scratch, count, width, cost);
      consider(TRANSFORM.xor, context, width);
    }
    return best;
  }

  /** Estimated compressed bytes of the planes, and which of them are noise. */
  #judge(values: Values, count: number, width: number, cost: Cost): void {
    const counts = this.#counts;
    const noise = NOISE_SHARE * 256 * (1 - (1 - 1 / 256) ** count);
    cost.bytes = 0;
    cost.noisePlanes = 0;
    for (let plane = 0; plane < width; plane++) {
      if (planeBits(values, plane) === 0) continue;
      writePlane(values, count, plane, this.#plane, 0);
      counts.fill(0);
      for (let i = 0; i < count; i++) counts[this.#plane[i]!]!++;
      let bits = 0;
      let distinct = 0;
      for (let byte = 0; byte < 256; byte++) {
        const times = counts[byte]!;
        if (times === 0) continue;
        distinct++;
        bits -= times * Math.log2(times / count);
      }
      if (distinct >= noise) {
        cost.noisePlanes |= 1 << plane;
        cost.bytes += count;
      } else {
        cost.bytes += Math.min(count, bits / 8 + distinct * BYTES_PER_SYMBOL);
      }
      cost.bytes += BYTES_PER_PLANE;
    }
  }
}
