/** Totals, means and ratios: their linearization, the rule of their interval, and when it is not to be trusted. */
import { describe, expect, it } from "vitest";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { linear } from "#core/sampling/estimators/designs/pair_totals.ts";
import { PoissonSample } from "#core/sampling/estimators/designs/poisson_sample.ts";
import { StratifiedSample } from "#core/sampling/estimators/designs/stratified_sample.ts";
import type { Estimate } from "#core/sampling/estimators/estimate.ts";
import { boundsByRule } from "#core/sampling/estimators/interval_rule.ts";
import { estimateDomainMean, estimateMean } from "#core/sampling/estimators/mean.ts";
import { estimateRatio } from "#core/sampling/estimators/ratio.ts";
import { estimateTotal } from "#core/sampling/estimators/total.ts";
import { Rational } from "../../../support/rational.ts";
import { independentDraws } from "./outcomes.ts";

const VALUES = [3, -1, 8, 0, 5, 2, 7, 1];
const RATES = [1 / 2, 1 / 4, 1, 1 / 8, 1 / 2, 1 / 4, 1 / 2, 1];

describe("means and ratios", () => {
  it("are exact where everything was kept", () => {
    const sample = new PoissonSample();
    for (const y of VALUES) sample.add(y, 1);
    const all = { value: 25 / 8, lower: 25 / 8, upper: 25 / 8, variance: 0, method: "exact" };
    expect(estimateMean(sample)).toMatchObject({ ...all, reasons: [], warning: undefined });
  });

  it("have the variance of their linearization, sample by sample", () => {
    for (const { sample: members } of independentDraws(RATES.map(Rational.of))) {
      const [mean, ratio] = [new PoissonSample(), new PoissonSample()];
      for (const i of members) {
        mean.add(VALUES[i]!, RATES[i]!);
        ratio.add(VALUES[i]!, RATES[i]!, i + 1);
      }
      const direct = (value: number, xOf: (i: number) => number) => {
        const x = members.reduce((sum, i) => sum + xOf(i) / RATES[i]!, 0);
        const squares = members.reduce((sum, i) => {
          const residual = (VALUES[i]! - value * xOf(i)) / RATES[i]!;
          return sum + (1 - RATES[i]!) * residual ** 2;
        }, 0);
        return x === 0 ? 0 : squares / x ** 2;
      };
      const [m, r] = [estimateMean(mean), estimateRatio(ratio)];
      expect(m.variance).toBeCloseTo(
        direct(m.value, () => 1),
        9,
      );
      expect(r.variance).toBeCloseTo(
        direct(r.value, (i) => i + 1),
        9,
      );
    }
  });

  it("of a domain in strata know how many were drawn of all", () => {
    const [part, whole] = [new StratifiedSample(), new StratifiedSample()];
    whole.addPopulation("a", 100);
    for (let i = 0; i < 20; i++) {
      whole.add("a", i);
      if (i < 10) part.add("a", i);
    }
    expect(estimateDomainMean(part, whole)).toMatchObject({ value: 4.5, sampled: 10 });
    const domain = estimateDomainMean(part, whole).variance;
    const s2 = 82.5 / 19;
    expect(domain).toBeCloseTo((100 ** 2 * 0.8 * s2) / 20 / 50 ** 2, 9);
  });
});

describe("the rule of the interval", () => {
  it("is Student's where nothing is skewed", () => {
    // t(0.975, 9) = 2.2621571628
    const { lower, upper, method } = boundsByRule(10, 2, 0, 9, 0.95);
    expect([lower, upper]).toEqual([expect.closeTo(5.4756857, 6), expect.closeTo(14.5243143, 6)]);
    expect(method).toBe("student_t");
  });

  it("is exact only where all was kept, not where the spread isn't known", () => {
    const sampleOf = (values: readonly number[], pi: number) => {
      const sample = new PoissonSample();
      for (const value of values) sample.add(value, pi);
      return sample;
    };
    const alike = Array.from({ length: 40 }, () => 1);
    expect(estimateMean(sampleOf(alike, 0.5))).toMatchObject({
      ...{ value: 1, lower: 1, upper: 1, method: "student_t", reasons: ["no_spread"] },
    });
    expect(estimateTotal(sampleOf([], 0.5))).toMatchObject({
      ...{ value: 0, method: "student_t", reasons: ["nothing_sampled"] },
    });
    expect(estimateTotal(sampleOf(alike, 1))).toMatchObject({ method: "exact", reasons: [] });
  });

  it("leans to where large values may have been missed, and back where small ones", () => {
    const right = boundsByRule(0, 1, 0.3, 1000, 0.95);
    const left = boundsByRule(0, 1, -0.3, 1000, 0.95);
    expect(right.upper).toBeGreaterThan(2.3);
    expect(right.lower).toBeGreaterThan(-1.9);
    expect([left.lower, left.upper]).toEqual([-right.upper, -right.lower]);
  });

  it("inverts Hall's transformation", () => {
    const [skewness, degrees] = [0.4, 1e6];
    const { lower, upper } = boundsByRule(0, 1, skewness, degrees, 0.95);
    const transformed = (t: number) =>
      t + (skewness * t * t) / 3 + (skewness * skewness * t ** 3) / 27 + skewness / 6;
    expect(transformed(-upper)).toBeCloseTo(-1.959966, 4);
    expect(transformed(-lower)).toBeCloseTo(1.959966, 4);
  });

  /** Coverage over seeded replications of a skewed population; one draw in twenty is kept. */
  function coverage(interval: (estimate: Estimate) => readonly [number, number]): number {
    const random = new Xoshiro128(11);
    const values = Float64Array.from({ length: 1500 }, () => (-Math.log1p(-random.uniform())) ** 3);
    const truth = values.reduce((sum, value) => sum + value, 0);
    let covered = 0;
    for (let round = 0; round < 600; round++) {
      const sample = new PoissonSample();
      for (const value of values) if (random.uniform() < 0.05) sample.add(value, 0.05);
      const [lower, upper] = interval(estimateTotal(sample));
      if (lower <= truth && truth <= upper) covered += 1 / 600;
    }
    return covered;
  }

  it("widens by what the sample's own variance is uncertain by", () => {
    const sample = new PoissonSample();
    for (let i = 0; i < 400; i++) sample.add(i % 100 === 0 ? 60 : 1 + (i % 5), 0.1);
    const { value, standardError, lower, upper } = estimateTotal(sample);
    const { skewness, degrees } = linear(sample.totals(), 1, 0);
    expect(degrees).toBeLessThan(30);
    const known = boundsByRule(value, standardError, skewness, degrees, 0.95);
    expect([lower, upper]).toEqual([known.lower, known.upper]);
    const { lower: less, upper: more } = boundsByRule(value, standardError, skewness, 399, 0.95);
    expect(upper - lower).toBeGreaterThan(1.02 * (more - less));
  });

  it("mutant: without the correction a skewed total is covered less", () => {
    const corrected = coverage(({ lower, upper }) => [lower, upper]);
    const normal = coverage(({ value, standardError }) => [
      value - 1.96 * standardError,
      value + 1.96 * standardError,
    ]);
    expect(corrected).toBeGreaterThan(normal + 0.03);
  });
});

describe("warnings", () => {
  const sampleOf = (values: readonly number[], pi = 0.5) => {
    const sample = new PoissonSample();
    for (const value of values) sample.add(value, pi);
    return sample;
  };
  const alike = Array.from({ length: 100 }, (_, i) => 1 + (i % 7));

  it.each([
    ["nothing_sampled", sampleOf([]), {}],
    ["few_events", sampleOf([1, 2, 3, 4, 5]), {}],
    ["dominant_event", sampleOf([1000, ...alike]), {}],
    ["skewed", sampleOf([1000, ...alike]), {}],
    ["losses", sampleOf(alike), { lost: 3 }],
    ["maximum_missed", sampleOf(alike), { maximum: 1000 }],
    [
      "no_spread",
      sampleOf(
        alike.map(() => 1),
        0.5,
      ),
      {},
    ],
  ] as const)("%s", (reason, sample, options) => {
    const kind = reason === "no_spread" ? estimateMean : estimateTotal;
    const { reasons, warning } = kind(sample, options);
    expect(reasons).toContain(reason);
    expect(warning).toBeTypeOf("string");
  });

  it("uncertain_size", () => {
    const sample = sampleOf(alike, 0.001);
    sample.add(1, 0.00001);
    expect(estimateMean(sample).reasons).toContain("uncertain_size");
  });

  it("there are none where there is nothing to fear", () => {
    expect(estimateTotal(sampleOf(alike), { maximum: 9 })).toMatchObject({
      ...{ reasons: [], warning: undefined },
    });
    expect(() => estimateTotal(sampleOf(alike), { confidence: 1 })).toThrow(/confidence is 1/);
  });
});
