/** Quantiles and Woodruff's interval over every sample of small populations. */
import { describe, expect, it } from "vitest";
import type { Estimate } from "#core/sampling/estimators/estimate.ts";
import {
  CLUSTER_DRAWS,
  POISSON_DRAWS,
  QuantileSample,
  stratifiedDraws,
} from "#core/sampling/estimators/quantile.ts";
import { binomialProbability } from "#core/stats/distributions/binomial.ts";
import { wilsonInterval } from "#core/stats/intervals/wilson.ts";
import { Rational } from "../../../support/rational.ts";
import { thrown } from "../../../support/thrown.ts";
import { independentDraws, probabilityOf, subsets } from "./outcomes.ts";

const VALUES = [4, 1, 9, 2, 2, 30, 7, 5];

/** The smallest value up to which the part p lies. */
function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted.find((_, i) => (i + 1) / sorted.length >= p)!;
}

const holds = ({ lower, upper }: Estimate, truth: number) => lower <= truth && truth <= upper;

describe("quantiles", () => {
  const QUARTERS = [0.25, 0.5, 0.9];

  it.each([0, ...QUARTERS, 1])("are exact where all was kept: p = %f", (p) => {
    const sample = new QuantileSample(POISSON_DRAWS);
    for (const value of VALUES) sample.add(value, 1);
    const truth = quantile(VALUES, p);
    expect(sample.estimate(p, { minimum: truth, maximum: truth })).toMatchObject({ value: truth });
    expect(holds(sample.estimate(p), truth)).toBe(true);
  });

  it.each(QUARTERS)("of p = %f are covered over every simple random sample of 5 of 8", (p) => {
    const all = subsets(
      VALUES.map((_, i) => i),
      5,
    );
    const probability = new Rational(1n, BigInt(all.length));
    const covered = probabilityOf(
      all.map((sample) => ({ sample, probability })),
      (members) => {
        const sample = new QuantileSample(stratifiedDraws(new Map([["all", VALUES.length]])));
        for (const i of members) sample.add(VALUES[i]!, "all");
        return holds(sample.estimate(p, { population: VALUES.length }), quantile(VALUES, p));
      },
    );
    expect(covered).toBeGreaterThanOrEqual(0.95);
  });

  it.each(QUARTERS)("of p = %f are covered over all outcomes of unequal rates", (p) => {
    const rates = VALUES.map((_, i) => new Rational(i % 2 === 0 ? 7n : 5n, 8n));
    const covered = probabilityOf(independentDraws(rates), (members) => {
      const sample = new QuantileSample(POISSON_DRAWS);
      for (const i of members) sample.add(VALUES[i]!, rates[i]!.toNumber());
      return holds(sample.estimate(p), quantile(VALUES, p));
    });
    expect(covered).toBeGreaterThanOrEqual(0.95);
  });

  it("with equal weights have the interval between order statistics", () => {
    const sample = new QuantileSample(POISSON_DRAWS);
    for (let i = 1; i <= 20; i++) sample.add(i, 0.001);
    const { value, lower, upper } = sample.estimate(0.5);
    expect(value).toBe(10);
    // P(fewer than 6 of 20 below the median) = 0.0207; fewer than 7 would be 0.0577.
    const tail = (most: number) =>
      Array.from({ length: most + 1 }, (_, x) => binomialProbability(x, 20, 0.5)).reduce(
        (sum, each) => sum + each,
      );
    expect(tail(5)).toBeLessThan(0.025);
    expect(tail(6)).toBeGreaterThan(0.025);
    expect([lower, upper]).toEqual([6, 15]);
  });

  describe("of 100 values of one probability", () => {
    const sample = new QuantileSample(POISSON_DRAWS);
    for (let i = 1; i <= 100; i++) sample.add(i, 0.001);
    /** Of an interval from the `lower`-th to the `upper`-th value, where as many as chance has it lie below. */
    const coverage = ({ lower, upper }: { lower: number; upper: number }, p: number) => {
      let covered = 0;
      for (let below = 0; below <= 100; below++) {
        if (lower <= below && below < upper) covered += binomialProbability(below, 100, p);
      }
      return covered;
    };

    it.each([0.02, 0.1, 0.15, 0.2, 0.25, 0.37, 0.5, 0.63, 0.75, 0.8, 0.9, 0.98])(
      "are covered at p = %f, and by no value less on either side",
      (p) => {
        const { lower, upper } = sample.estimate(p);
        expect(coverage({ lower, upper }, p)).toBeGreaterThanOrEqual(0.95);
        const tail = (from: number, to: number) => coverage({ lower: from, upper: to + 1 }, p);
        if (lower > 0) expect(tail(0, lower)).toBeGreaterThan(0.025);
        if (upper <= 100) expect(tail(upper - 1, 100)).toBeGreaterThan(0.025);
      },
    );

    it("mutant: Wilson's interval of the part covers some less", () => {
      const wilson = (p: number) => {
        const parts = Array.from({ length: 101 }, (_, below) => wilsonInterval(below, 100, 0.95));
        return {
          lower: parts.findIndex(({ upper }) => upper >= p),
          upper: parts.findIndex(({ lower }) => lower >= p),
        };
      };
      const least = Math.min(...[0.15, 0.2, 0.25, 0.37, 0.5].map((p) => coverage(wilson(p), p)));
      expect(least).toBeLessThan(0.95);
    });
  });

  it("mutant: without weights the median of a biased sample is another", () => {
    const sample = new QuantileSample(POISSON_DRAWS);
    for (let i = 0; i < 100; i++) sample.add(i, i < 50 ? 0.1 : 1);
    expect(sample.estimate(0.5).value).toBe(27);
  });

  it("beyond the sampled values are bounded by what is known, or say so", () => {
    const sample = new QuantileSample(POISSON_DRAWS);
    for (let i = 1; i <= 40; i++) sample.add(i, 0.5);
    expect(sample.estimate(0.99)).toMatchObject({
      ...{ value: 40, upper: Number.POSITIVE_INFINITY, reasons: ["beyond_sample"] },
    });
    expect(sample.estimate(0.99, { maximum: 500 })).toMatchObject({ upper: 500, reasons: [] });
    expect(sample.estimate(0.01, { minimum: 0 })).toMatchObject({ value: 1, lower: 0 });
    const nothing = new QuantileSample(POISSON_DRAWS);
    expect(nothing.estimate(0.5)).toMatchObject({ reasons: ["nothing_sampled", "beyond_sample"] });
    expect(thrown(() => nothing.estimate(2)).message).toContain("p is 2");
  });

  it("of connections are wider than of as many events alone", () => {
    const [events, connections] = [
      new QuantileSample(POISSON_DRAWS),
      new QuantileSample(CLUSTER_DRAWS),
    ];
    for (let i = 0; i < 400; i++) {
      const value = Math.floor(i / 20);
      events.add(value, 0.5);
      connections.add(value, { randomness: 2 ** 52 + value, pi: 0.5 });
    }
    const [one, other] = [events.estimate(0.5), connections.estimate(0.5)];
    expect(other.value).toBe(one.value);
    expect(other.upper - other.lower).toBeGreaterThan(2 * (one.upper - one.lower));
  });
});
