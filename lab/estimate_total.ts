/** One replication: a sample by a strategy, and the total that it stands for. */
import type { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { type DrawThreshold, drawKeeps, drawThreshold } from "#core/sampling/draw.ts";
import { PoissonSample } from "#core/sampling/estimators/designs/poisson_sample.ts";
import type { Estimate } from "#core/sampling/estimators/estimate.ts";
import { estimateTotal as estimateTotalOf } from "#core/sampling/estimators/total.ts";
import { BottomK } from "#core/sampling/selection/bottom_k.ts";
import { PrioritySample } from "#core/sampling/selection/priority_sample.ts";
import { rateFromThreshold, thresholdFromRate } from "#core/sampling/threshold.ts";
import type { Strategy } from "./experiment.ts";

const rateOf = (rate: number): DrawThreshold => drawThreshold(thresholdFromRate(rate));

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
      const total = new PoissonSample();
      const draw = () => random.u32();
      for (const value of values) {
        const rate = value >= slow ? slowRate : base;
        if (drawKeeps(draw, rate)) total.add(value, rate.pi);
      }
      return estimateTotalOf(total, { confidence });
    }
    case "bottom_k": {
      const sample = new BottomK<number>(strategy.k);
      for (const value of values) sample.offer(random.u32(), random.u32() >>> 8, value);
      const pi = rateFromThreshold(sample.threshold());
      const total = new PoissonSample();
      for (const { item } of sample.sample()) total.add(item, pi);
      return estimateTotalOf(total, { confidence });
    }
    case "priority_sampling": {
      const sample = new PrioritySample<number>(strategy.k);
      for (const value of values) sample.offer(value, random.uniform(), value);
      return sample.total(() => true, confidence);
    }
  }
}
