/** Intervals of proportions: which is chosen, and how often it covers, by exact sums over all outcomes. */
import { describe, expect, it } from "vitest";
import { ClusterSample } from "#core/sampling/estimators/designs/cluster_sample.ts";
import { PoissonSample } from "#core/sampling/estimators/designs/poisson_sample.ts";
import type { Estimate } from "#core/sampling/estimators/estimate.ts";
import { estimateProportion } from "#core/sampling/estimators/proportion.ts";
import { hypergeometricProbability } from "#core/stats/distributions/hypergeometric.ts";

/** Marked and unmarked events, kept with one probability. */
function add(sample: PoissonSample, marked: number, unmarked: number, pi: number): PoissonSample {
  for (let i = 0; i < marked; i++) sample.add(1, pi);
  for (let i = 0; i < unmarked; i++) sample.add(0, pi);
  return sample;
}

describe("the interval is", () => {
  const equal = (marked: number, unmarked: number) =>
    add(new PoissonSample(), marked, unmarked, 0.1);

  it.each([
    ["wilson", equal(20, 80), {}],
    ["clopper_pearson", equal(9, 91), {}],
    ["clopper_pearson", equal(100, 0), {}],
    ["hypergeometric", equal(20, 80), { population: 1000 }],
    ["korn_graubard", add(equal(20, 80), 10, 5, 0.5), {}],
    ["clopper_pearson", add(equal(0, 80), 0, 5, 0.5), {}],
    ["exact", add(new PoissonSample(), 3, 4, 1), {}],
  ] as const)("%s where it should be", (method, sample, options) => {
    expect(estimateProportion(sample, options)).toMatchObject({ method, reasons: [] });
  });

  it("all there is where nothing was sampled", () => {
    const nothing = {
      ...{ lower: 0, upper: 1, method: "clopper_pearson", reasons: ["nothing_sampled"] },
    };
    expect(estimateProportion(new PoissonSample())).toMatchObject(nothing);
  });

  it("of unequal weights as wide as the sample is worth, also at 0", () => {
    const { upper, effectiveSize } = estimateProportion(
      add(add(new PoissonSample(), 0, 100, 1), 0, 2, 0.01),
    );
    expect(effectiveSize).toBeLessThan(5);
    expect(upper).toBeGreaterThan(0.5);
  });

  it("of connections that of independent draws, not of events", () => {
    const events = new PoissonSample();
    const connections = new ClusterSample();
    for (let i = 0; i < 50; i++) {
      for (let j = 0; j < 20; j++) {
        events.add(i % 5 === 0 ? 1 : 0, 0.5);
        connections.add(2 ** 52 + i, i % 5 === 0 ? 1 : 0, 0.5);
      }
    }
    const width = ({ lower, upper }: Estimate) => upper - lower;
    const [byEvent, byConnection] = [estimateProportion(events), estimateProportion(connections)];
    expect(byConnection.method).toBe("korn_graubard");
    expect(width(byConnection)).toBeGreaterThan(3 * width(byEvent));
  });
});

describe("exact coverage at 0.95", () => {
  it.each([
    [200, 40, undefined],
    [200, 40, 200],
    [60, 45, 60],
  ])(
    "of marked events among %i of which %i are drawn, population %s",
    (size, drawn, population) => {
      const options = population === undefined ? {} : { population };
      const found = Array.from({ length: drawn + 1 }, (_, x) =>
        estimateProportion(add(new PoissonSample(), x, drawn - x, drawn / size), options),
      );
      for (let marked = 0; marked <= size; marked += 1) {
        let covered = 0;
        found.forEach(({ lower, upper }, x) => {
          const isIn = lower * size <= marked + 1e-9 && marked - 1e-9 <= upper * size;
          if (isIn) covered += hypergeometricProbability(x, size, marked, drawn);
        });
        // Wilson's own dips, which its table in test/core/stats shows, and no more.
        expect(covered, `${marked} marked`).toBeGreaterThanOrEqual(
          population ? 0.95 - 1e-12 : 0.94,
        );
      }
    },
  );

  /** 60 of 120 events are kept, and 15 of 150; marked ones among them are hypergeometric. */
  const unequal = (interval: (marked: readonly [number, number]) => Estimate, p: number) => {
    let covered = 0;
    for (let a = 0; a <= 60; a++) {
      for (let b = 0; b <= 15; b++) {
        const { lower, upper } = interval([a, b]);
        if (lower > p || p > upper) continue;
        covered +=
          hypergeometricProbability(a, 120, 120 * p, 60) *
          hypergeometricProbability(b, 150, 150 * p, 15);
      }
    }
    return covered;
  };
  const twoRates = (a: number, b: number) =>
    add(add(new PoissonSample(), a, 60 - a, 0.5), b, 15 - b, 0.1);
  const memo = new Map<string, Estimate>();
  const kornGraubard = ([a, b]: readonly [number, number]) => {
    const known = memo.get(`${a} ${b}`) ?? estimateProportion(twoRates(a, b));
    memo.set(`${a} ${b}`, known);
    return known;
  };

  it.each([1 / 30, 0.1, 0.2, 0.3, 0.5])("of a part of %f in a sample of two rates", (p) => {
    expect(unequal(kornGraubard, p)).toBeGreaterThanOrEqual(0.94);
  });

  it("mutant: the same events without their weights are no estimate", () => {
    // Marked ones only where the rate is high.
    const { value } = estimateProportion(twoRates(30, 0));
    expect(value).toBeCloseTo(60 / 270, 12);
    expect(30 / 75).toBeGreaterThan(1.5 * value);
  });

  it("mutant: a normal interval misses rare ones", () => {
    const normal = ([a, b]: readonly [number, number]): Estimate => {
      const estimate = kornGraubard([a, b]);
      const half = 1.96 * estimate.standardError;
      return { ...estimate, lower: estimate.value - half, upper: estimate.value + half };
    };
    expect(unequal(normal, 1 / 30)).toBeLessThan(0.9);
  });
});
