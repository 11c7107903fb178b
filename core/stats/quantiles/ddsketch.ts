/**
 * DDSketch: quantiles of any number of weighted values within a relative error, in bounded memory.
 *
 * Values fall into bins whose edges grow by γ = (1 + α) / (1 - α); a bin's midpoint is within α of
 * everything in it. Bins of two sketches add up, so a merge is what one sketch would have held.
 */

import { BpfError, ERRNO } from "#core/errors.ts";
import { requireBetween, requireInteger, requireProbability } from "../check_argument.ts";
import { BinStore } from "./bin_store.ts";

export interface DDSketchOptions {
  /** Relative accuracy α, above 0 and below 1; 0.01 by default. */
  readonly accuracy?: number;
  /** Bins for each sign, rounded up to a power of two; 2048 by default. */
  readonly bins?: number;
}

/** Magnitudes below it count as zero: the smallest normal double, with room for a bin's edge. */
const SMALLEST = 2 ** -1020;

/**
 * Weights are rounded to multiples of this, so that their sums are exact (below 2^37 in total) and
 * do not depend on the order of additions. Rounding moves a weight of 1 or more by at most 8e-6
 * of itself.
 */
export const WEIGHT_QUANTUM = 2 ** -16;

export class DDSketch {
  readonly accuracy: number;
  readonly #gamma: number;
  readonly #bins_per_log: number;
  readonly #positive: BinStore;
  readonly #negative: BinStore;
  readonly #bins: number;
  #zero_weight = 0;
  #minimum = Number.POSITIVE_INFINITY;
  #maximum = Number.NEGATIVE_INFINITY;
  #rejected = 0;

  constructor(options: DDSketchOptions = {}) {
    this.accuracy = options.accuracy ?? 0.01;
    const bins = options.bins ?? 2048;
    requireBetween("quantile sketch", "accuracy", this.accuracy, 1e-6, 0.999);
    requireInteger("quantile sketch", "bins", bins, 1, 2 ** 24);
    this.#gamma = (1 + this.accuracy) / (1 - this.accuracy);
    this.#bins_per_log = 1 / (Math.log1p(this.accuracy) - Math.log1p(-this.accuracy));
    this.#bins = 2 ** Math.ceil(Math.log2(bins));
    this.#positive = new BinStore(this.#bins);
    this.#negative = new BinStore(this.#bins);
  }

  /**
   * Adds a value that stands for `weight` values. A value or weight that is not finite, or a weight
   * that rounds to 0, is counted in `rejected` and else ignored. Allocates nothing.
   */
  add(value: number, weight: number = 1): void {
    const rounded = Math.round(weight / WEIGHT_QUANTUM) * WEIGHT_QUANTUM;
    if (!(rounded > 0 && rounded < Number.POSITIVE_INFINITY) || !Number.isFinite(value)) {
      this.#rejected += 1;
      return;
    }
    if (value >= SMALLEST) this.#positive.add(this.#binOf(value), rounded);
    else if (value <= -SMALLEST) this.#negative.add(this.#binOf(-value), rounded);
    else this.#zero_weight += rounded;
    if (value < this.#minimum) this.#minimum = value;
    if (value > this.#maximum) this.#maximum = value;
  }

  /**
   * Adds what `other` has seen; `other` keeps its own. Throws BpfError EINVAL unless both have the
   * same accuracy and number of bins.
   */
  merge(other: DDSketch): void {
    if (other.accuracy !== this.accuracy || other.#bins !== this.#bins) {
      throw new BpfError(
        "merge quantile sketches",
        `accuracy ${other.accuracy} with ${other.#bins} bins into ${this.accuracy} with ${this.#bins}`,
        { errno: ERRNO.EINVAL, hint: "make both with the same options" },
      );
    }
    this.#positive.merge(other.#positive);
    this.#negative.merge(other.#negative);
    this.#zero_weight += other.#zero_weight;
    this.#minimum = Math.min(this.#minimum, other.#minimum);
    this.#maximum = Math.max(this.#maximum, other.#maximum);
    this.#rejected += other.#rejected;
  }

  clear(): void {
    this.#positive.clear();
    this.#negative.clear();
    this.#zero_weight = 0;
    this.#minimum = Number.POSITIVE_INFINITY;
    this.#maximum = Number.NEGATIVE_INFINITY;
    this.#rejected = 0;
  }

  /** Sum of the (rounded) weights. */
  get weight(): number {
    return this.#negative.total + this.#zero_weight + this.#positive.total;
  }

  /** Smallest value added, exactly; NaN when empty. */
  get minimum(): number {
    return this.weight === 0 ? Number.NaN : this.#minimum;
  }

  /** Largest value added, exactly; NaN when empty. */
  get maximum(): number {
    return this.weight === 0 ? Number.NaN : this.#maximum;
  }

  /** Additions that were refused. */
  get rejected(): number {
    return this.#rejected;
  }

  /**
   * Weight in the bins that hold collapsed values: below them (in magnitude) quantiles are no
   * longer within the accuracy. 0 while everything fitted.
   */
  get collapsedWeight(): number {
    return collapsedWeight(this.#positive) + collapsedWeight(this.#negative);
  }

  /**
   * The smallest value that at least the fraction `q` of the weight does not exceed, within
   * `accuracy` of it (relative) unless it collapsed; NaN when empty.
   */
  quantile(q: number): number {
    requireProbability("quantile of sketch", "q", q);
    if (this.weight === 0) return Number.NaN;
    if (q === 0) return this.#minimum;
    const value = this.#valueAtWeight(q * this.weight);
    return Math.min(this.#maximum, Math.max(this.#minimum, value));
  }

  /** The fraction of the weight in bins up to that of `value`: P(X <= value); NaN when empty. */
  rank(value: number): number {
    if (this.weight === 0) return Number.NaN;
    if (Number.isNaN(value)) return Number.NaN;
    if (value >= this.#maximum) return 1;
    if (value < this.#minimum) return 0;
    return this.#weightUpTo(value) / this.weight;
  }

  /** Calls `visit` for each bin with weight, by rising value. */
  forEachBin(visit: (value: number, weight: number) => void): void {
    const { low, high } = this.#negative;
    if (!this.#negative.isEmpty) {
      for (let bin = high; bin >= low; bin -= 1) visitBin(visit, -1, this, bin, this.#negative);
    }
    if (this.#zero_weight > 0) visit(0, this.#zero_weight);
    if (this.#positive.isEmpty) return;
    for (let bin = this.#positive.low; bin <= this.#positive.high; bin += 1) {
      visitBin(visit, 1, this, bin, this.#positive);
    }
  }

  /** The value that stands for a bin: within `accuracy` of both edges. */
  magnitudeOf(bin: number): number {
    return Math.exp(bin / this.#bins_per_log) * (2 / (1 + this.#gamma));
  }

  #binOf(magnitude: number): number {
    return Math.ceil(Math.log(magnitude) * this.#bins_per_log);
  }

  #valueAtWeight(target: number): number {
    let seen = 0;
    const negative = this.#negative;
    for (let bin = negative.high; !negative.isEmpty && bin >= negative.low; bin -= 1) {
      seen += negative.weightAt(bin);
      if (seen >= target) return -this.magnitudeOf(bin);
    }
    seen += this.#zero_weight;
    if (seen >= target && seen > 0) return 0;
    const positive = this.#positive;
    for (let bin = positive.low; !positive.isEmpty && bin <= positive.high; bin += 1) {
      seen += positive.weightAt(bin);
      if (seen >= target) return this.magnitudeOf(bin);
    }
    return this.#maximum;
  }

  #weightUpTo(value: number): number {
    let sum = 0;
    const negative = this.#negative;
    const stop = value <= -SMALLEST ? Math.max(this.#binOf(-value), negative.low) : negative.low;
    for (let bin = negative.high; !negative.isEmpty && bin >= stop; bin -= 1) {
      sum += negative.weightAt(bin);
    }
    if (value <= -SMALLEST) return sum;
    sum += this.#zero_weight;
    if (value < SMALLEST || this.#positive.isEmpty) return sum;
    const { low, high, hasCollapsed } = this.#positive;
    // Below a collapsed bin is that bin; below any other there is nothing.
    const bin_of_value = this.#binOf(value);
    const last = Math.min(high, hasCollapsed ? Math.max(low, bin_of_value) : bin_of_value);
    for (let bin = low; bin <= last; bin += 1) sum += this.#positive.weightAt(bin);
    return sum;
  }
}

function collapsedWeight(store: BinStore): number {
  return store.hasCollapsed ? store.weightAt(store.low) : 0;
}

function visitBin(
  visit: (value: number, weight: number) => void,
  sign: number,
  sketch: DDSketch,
  bin: number,
  store: BinStore,
): void {
  const weight = store.weightAt(bin);
  if (weight > 0) visit(sign * sketch.magnitudeOf(bin), weight);
}
