/**
 * Quantiles of values behind delivered events, from a sample of bounded size: of more than `limit` events those with the
 * smallest R go, and the threshold of all others is raised to the largest R that went, which leaves weights unbiased (Ting,
 * Adaptive Threshold Sampling, 2017). Events of one connection share R, and stay or go together.
 */
import { CLUSTER_RANDOMNESS_LIMIT } from "./estimators/designs/cluster_sample.ts";
import type { Estimate } from "./estimators/estimate.ts";
import {
  CLUSTER_DRAWS,
  POISSON_DRAWS,
  type QuantileOptions,
  QuantileSample,
} from "./estimators/quantile.ts";
import { Heap } from "./selection/heap.ts";

/**
 * Which part of all events lies up to the p99 is known to 0.4 % from so many of equal weight, to 2.2 % at the median. Estimates
 * go through all of them, at the pace of metrics.
 */
export const LIVE_VALUES_MAX = 2048;

export class LiveQuantiles {
  readonly #limit: number;
  /** By slot; one more than the limit, for the event that is just coming in. */
  readonly #randomness: Float64Array;
  readonly #pis: Float64Array;
  readonly #values: Float64Array;
  readonly #free: number[];
  /** Slots in use, that of the smallest R at hand. */
  readonly #order: Heap<number>;
  /** Events with a smaller R have gone. */
  #threshold = 0;

  constructor(limit = LIVE_VALUES_MAX) {
    this.#limit = limit;
    this.#randomness = new Float64Array(limit + 1);
    this.#pis = new Float64Array(limit + 1);
    this.#values = new Float64Array(limit + 1);
    this.#free = Array.from({ length: limit + 1 }, (_, slot) => slot);
    const randomness = this.#randomness;
    this.#order = new Heap((left, right) => randomness[left]! < randomness[right]!);
  }

  /** A kept event: the upper 53 bits of its R, the probability that its threshold gave it, and its value. */
  add(randomness: number, pi: number, value: number): void {
    if (randomness < this.#threshold) return;
    const slot = this.#free.pop()!;
    this.#randomness[slot] = randomness;
    this.#pis[slot] = pi;
    this.#values[slot] = value;
    this.#order.push(slot);
    if (this.#order.size > this.#limit) this.#dropLeast();
  }

  #dropLeast(): void {
    const order = this.#order;
    this.#threshold = this.#randomness[order.least!]! + 1;
    while (order.size > 0 && this.#randomness[order.least!]! < this.#threshold) {
      this.#free.push(order.pop()!);
    }
  }

  /** `ofConnections`: events that share R are one draw. Throws `BpfError` EINVAL unless 0 <= p <= 1. */
  estimates(
    ps: readonly number[],
    ofConnections: boolean,
    options: QuantileOptions = {},
  ): Estimate[] {
    const most = (CLUSTER_RANDOMNESS_LIMIT - this.#threshold) / CLUSTER_RANDOMNESS_LIMIT;
    const [values, pis] = [this.#values, this.#pis];
    const piOf = (slot: number) => Math.min(pis[slot]!, most);
    // In this order a sample adds up runs of events that are alike.
    const slots = [...this.#order.items].sort(
      (left, right) => piOf(left) - piOf(right) || values[left]! - values[right]!,
    );
    if (!ofConnections) {
      const sample = new QuantileSample(POISSON_DRAWS);
      for (const slot of slots) sample.add(values[slot]!, piOf(slot));
      return sample.estimates(ps, options);
    }
    const sample = new QuantileSample(CLUSTER_DRAWS);
    for (const slot of slots) {
      sample.add(values[slot]!, { randomness: this.#randomness[slot]!, pi: piOf(slot) });
    }
    return sample.estimates(ps, options);
  }
}
