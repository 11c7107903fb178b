/** One replication: a sample by a strategy, and the total that it stands for. */
import type { Xoshiro128 } from "#core/random/xoshiro128.ts";
import type { Estimate } from "#core/sampling/estimators/estimate.ts";
import { PoissonTotal } from "#core/sampling/estimators/poisson_total.ts";
import { BottomK } from "#core/sampling/selection/bottom_k.ts";
import { PrioritySample } from "#core/sampling/selection/priority_sample.ts";
import { rateFromThreshold, thresholdFromRate } from "#core/sampling/threshold.ts";
import type { Strategy } from "./experiment.ts";

/** Upper 32 of the 56 bits that R and T have: what the kernel's first draw decides by. */
const HIGH_BITS = 24n;

interface Rate {
  readonly pi: number;
  readonly high: number;
  readonly low: number;
}

function rateOf(rate: number): Rate {
  const threshold = thresholdFromRate(rate);
  return {
    pi: rateFromThreshold(threshold),
    high: Number(threshold >> HIGH_BITS),
    low: Number(threshold & ((1n << HIGH_BITS) - 1n)),
  };
}

/** The kernel's decision R >= T, in two draws. */
function keeps(random: Xoshiro128, { high, low }: Rate): boolean {
  const first = random.u32();
  return first !== high ? first > high : random.u32() >>> 8 >= low;
}

/** The value from which on the largest part of the events counts as slow. */
export function slowFrom(values: Float64Array, share: number): number {
  const sorted = values.slice().sort();
  return sorted[Math.min(sorted.length - 1, Math.floor((1 - share) * sorted.length))]!;
}

export function estimateTotal(
  strategy: Strategy,
  values: Float64Array,
  random: Xoshiro128,
  slow: number,
  confidence: number,
): Estimate {
  switch (strategy.kind) {
    case "uniform":
    case "tail": {
      const base = rateOf(strategy.rate);
      const slowRate = strategy.kind === "tail" ? rateOf(strategy.slow_rate) : base;
      const total = new PoissonTotal();
      for (const value of values) {
        const rate = value >= slow ? slowRate : base;
        if (keeps(random, rate)) total.add(value, rate.pi);
      }
      return total.estimate(confidence);
    }
    case "bottom_k": {
      const sample = new BottomK<number>(strategy.k);
      for (const value of values) sample.offer(random.u32(), random.u32() >>> 8, value);
      const pi = rateFromThreshold(sample.threshold());
      const total = new PoissonTotal();
      for (const { item } of sample.sample()) total.add(item, pi);
      return total.estimate(confidence);
    }
    case "priority_sampling": {
      const sample = new PrioritySample<number>(strategy.k);
      for (const value of values) sample.offer(value, random.uniform(), value);
      return sample.total(() => true, confidence);
    }
  }
}
