/** Quantiles as a run goes on: how often their intervals hold the exact ones, and what they say where events are few. */
import { describe, expect, it } from "vitest";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { LATENCY_QUANTILES, LiveEstimates } from "#core/sampling/live_estimates.ts";
import { LiveQuantiles } from "#core/sampling/live_quantiles.ts";

const PS = Object.values(LATENCY_QUANTILES);
const ROUNDS = 500;
/** Where 95 % are held, 500 rounds hold no more than this once in 10,000 times. */
const COVERED_LEAST = 0.91;

/** The smallest value up to which the part p lies. */
function quantile(values: ArrayLike<number>, p: number): number {
  return Array.from(values).sort((left, right) => left - right)[Math.ceil(p * values.length) - 1]!;
}

describe("intervals of live quantiles", () => {
  const random = new Xoshiro128(17);
  /** Of 4,000 events the slow ones are kept for certain, the others at one in five; of 900, 850 have a place. */
  const LIMIT = 850;
  const values = Float64Array.from({ length: 4000 }, () => random.exponential(1) ** 2);
  const slowFrom = quantile(values, 0.97);
  const rateOf = (value: number) => (value >= slowFrom ? 1 : 0.2);
  const truths = PS.map((p) => quantile(values, p));

  /** How often an interval held the truth, by quantile, where events are `said` to have been kept with a rate. */
  function coverage(said: (rate: number) => number, rounds: number): number[] {
    const covered = PS.map(() => 0);
    for (let round = 0; round < rounds; round++) {
      const live = new LiveQuantiles(LIMIT);
      for (const value of values) {
        const randomness = Math.floor(random.uniform() * 2 ** 53);
        const rate = rateOf(value);
        if (randomness >= (1 - rate) * 2 ** 53) live.add(randomness, said(rate), value);
      }
      for (const [i, { lower, upper }] of live.estimates(PS, false).entries()) {
        if (lower <= truths[i]! && truths[i]! <= upper) covered[i]! += 1 / rounds;
      }
    }
    return covered;
  }

  it("hold the exact ones as often as they say, though rates differ and events went", () => {
    for (const covered of coverage((rate) => rate, ROUNDS)) {
      expect(covered).toBeGreaterThan(COVERED_LEAST);
    }
  });

  it("mutant: with the same weight for all, the p95 of a sample with many slow ones is another", () => {
    expect(coverage(() => 1, 50)[1]).toBeLessThan(0.5);
  });
});

describe("live quantiles", () => {
  const estimateOf = (events: number, facts = {}) => {
    const live = new LiveEstimates();
    for (let i = 0; i < events; i++) live.addSingle(2 ** 53 - 1 - i, 0.5, 1000 + i);
    return live.estimate(facts).latency_quantiles_ns!;
  };

  it("are bounded by what is known, and distrusted, where no sampled value bounds them", () => {
    // The least n for which (1 - α/2) is above p to the power of n: 6, 72, 368.
    const wrong = (events: number) =>
      Object.values(estimateOf(events)).map(({ reasons }) => reasons.includes("beyond_sample"));
    expect(wrong(5)).toEqual([true, true, true]);
    expect(wrong(6)).toEqual([false, true, true]);
    expect(wrong(71)).toEqual([false, true, true]);
    expect(wrong(72)).toEqual([false, false, true]);
    expect(wrong(367)).toEqual([false, false, true]);
    expect(wrong(368)).toEqual([false, false, false]);
    expect(estimateOf(40, { latencyMax_ns: 9000 }).p99).toMatchObject({ upper: 9000 });
    expect(estimateOf(40, { latencyMax_ns: 10 }).p99).toMatchObject({ upper: 1039 });
    expect(estimateOf(3).p50.lower).toBe(0);
  });

  it("are not there without latencies, and flag losses", () => {
    expect(new LiveEstimates().estimate().latency_quantiles_ns).toBeUndefined();
    expect(estimateOf(1000, { lost: 2 }).p50.reasons).toEqual(["losses"]);
  });

  it("of connections are those of whole connections", () => {
    const live = new LiveEstimates();
    for (let i = 0; i < 400; i++) live.addOfConnection(2 ** 52 + (i % 8), 0.5, i % 8);
    const { p50 } = live.estimate().latency_quantiles_ns!;
    expect(p50.reasons).toContain("few_events");
    expect(p50.upper - p50.lower).toBeGreaterThan(3);
  });
});
