/** Intervals of counts against exact binomial sums, and counts by group. */
import { describe, expect, it } from "vitest";
import { estimateCount } from "#core/sampling/estimators/count.ts";
import { ClusterSample } from "#core/sampling/estimators/designs/cluster_sample.ts";
import { PoissonSample } from "#core/sampling/estimators/designs/poisson_sample.ts";
import { StratifiedSample } from "#core/sampling/estimators/designs/stratified_sample.ts";
import { GroupCounts, OTHER_GROUP } from "#core/sampling/estimators/group_counts.ts";
import { estimateProportion } from "#core/sampling/estimators/proportion.ts";
import { estimateTotal } from "#core/sampling/estimators/total.ts";
import { binomialProbability } from "#core/stats/distributions/binomial.ts";
import { hypergeometricProbability } from "#core/stats/distributions/hypergeometric.ts";

function sampleOf(kept: number, pi: number): PoissonSample {
  const sample = new PoissonSample();
  for (let i = 0; i < kept; i++) sample.add(1, pi);
  return sample;
}

/** Probability that an interval holds N, over every number of events that may be kept of N. */
function coverage(population: number, holds: (kept: number) => boolean, pi: number): number {
  let sum = 0;
  for (let kept = 0; kept <= population; kept++) {
    if (holds(kept)) sum += binomialProbability(kept, population, pi);
  }
  return sum;
}

const POPULATIONS = [12, 40, 150, 600];

describe("counts", () => {
  it.each([0.02, 0.1, 0.5, 0.9])("kept with probability %f are covered, few or many", (pi) => {
    for (const population of POPULATIONS) {
      const holds = (kept: number) => {
        const { lower, upper } = estimateCount(sampleOf(kept, pi), { rate: pi });
        return lower <= population && population <= upper;
      };
      const covered = coverage(population, holds, pi);
      expect(covered, `${population} events`).toBeGreaterThanOrEqual(0.95);
      expect(covered, `${population} events`).toBeLessThan(0.997);
    }
  });

  it("mutant: a normal interval misses small counts far more often", () => {
    const holds = (kept: number) => {
      const { value, standardError } = estimateCount(sampleOf(kept, 0.1));
      return Math.abs(value - 40) <= 1.96 * standardError;
    };
    expect(coverage(40, holds, 0.1)).toBeLessThan(0.92);
  });

  it.each([
    [{ rate: 0.1 }, 0.95, 0.995],
    // Mutant: without a word of the smaller rate, samples that missed all of its events are sure of themselves.
    [{}, 0, 0.92],
  ])("with unequal weights and %o are covered from %f to %f", (options, least, most) => {
    const [first, second] = [30, 20];
    let covered = 0;
    for (let a = 0; a <= first; a++) {
      for (let b = 0; b <= second; b++) {
        const sample = sampleOf(a, 0.5);
        sample.merge(sampleOf(b, 0.1));
        const { lower, upper } = estimateCount(sample, options);
        const isIn = lower <= first + second && upper >= first + second;
        if (!isIn) continue;
        covered += binomialProbability(a, first, 0.5) * binomialProbability(b, second, 0.1);
      }
    }
    expect(covered).toBeGreaterThanOrEqual(least);
    expect(covered).toBeLessThan(most);
  });

  it("are at least what was kept, and exact where all was", () => {
    expect(estimateCount(sampleOf(9, 0.9)).lower).toBeGreaterThanOrEqual(9);
    expect(estimateCount(sampleOf(9, 1))).toMatchObject({
      ...{ value: 9, lower: 9, upper: 9, method: "exact", reasons: [] },
    });
    expect(estimateCount(new PoissonSample(), { rate: 0.5 })).toMatchObject({
      ...{ value: 0, lower: 0, reasons: ["nothing_sampled"] },
    });
    const nothing = estimateCount(new PoissonSample(), { rate: 0.01 });
    expect(nothing.upper).toBeCloseTo(Math.log(0.025) / Math.log(0.99), 0);
    expect(estimateCount(sampleOf(50, 0.5), { lost: 1 }).warning).toMatch(/were lost/);
  });
});

describe("counts in strata of known size", () => {
  it.each([0, 10, 1000])("are known where %i events of 1000 were sampled", (sampled) => {
    const sample = new StratifiedSample();
    sample.addPopulation("cpu0", 1000);
    for (let i = 0; i < sampled; i++) sample.add("cpu0", 1);
    expect(estimateCount(sample)).toMatchObject({
      ...{ value: 1000, lower: 1000, upper: 1000, method: "exact", sampled, reasons: [] },
    });
  });

  it("of a group may be anything where nothing was sampled", () => {
    const groups = new GroupCounts(() => new StratifiedSample());
    groups.rest.addPopulation("cpu0", 1000);
    groups.group("a");
    const nothing = { lower: 0, upper: 1000, reasons: ["nothing_sampled"] };
    expect(groups.counts().get("a")).toMatchObject(nothing);
    const share = { lower: 0, upper: 1, reasons: ["nothing_sampled"] };
    expect(groups.shares().get("a")).toMatchObject(share);
  });

  it.each([
    [200, 40],
    [400, 20],
    [60, 45],
  ])("cover groups of any size among %i events of which %i are sampled", (size, drawn) => {
    const found = Array.from({ length: drawn + 1 }, (_, kept) => {
      const groups = new GroupCounts(() => new StratifiedSample());
      groups.rest.addPopulation("cpu0", size);
      groups.group("a");
      for (let i = 0; i < drawn; i++) groups.group(i < kept ? "a" : "b").add("cpu0", 1);
      return groups.counts().get("a")!;
    });
    for (const [kept, { lower, upper }] of found.entries()) {
      expect(lower).toBeGreaterThanOrEqual(kept);
      expect(upper).toBeLessThanOrEqual(size - drawn + kept);
    }
    for (let members = 0; members <= size; members++) {
      let covered = 0;
      for (const [kept, { lower, upper }] of found.entries()) {
        const isIn = lower <= members && members <= upper;
        if (isIn) covered += hypergeometricProbability(kept, size, members, drawn);
      }
      expect(covered, `${members} members`).toBeGreaterThanOrEqual(0.95);
    }
  });
});

describe("groups of one sample", () => {
  it("add up to the whole, and know their shares and means", () => {
    const groups = new GroupCounts(() => new PoissonSample());
    for (let i = 0; i < 300; i++) groups.group(i % 3 === 0 ? "a" : "b").add(1, 0.25);
    const counts = groups.counts();
    expect(counts.get("a")).toMatchObject({ value: 400, method: "gamma" });
    expect(counts.get("a")!.value + counts.get("b")!.value).toBe(
      estimateTotal(groups.whole()).value,
    );
    const share = groups.shares().get("a")!;
    expect(share.value).toBeCloseTo(1 / 3, 12);
    expect(share.method).toBe("wilson");
    expect(groups.means().get("a")).toMatchObject({ value: 1 });
  });

  it("in strata use the sizes of all events", () => {
    const groups = new GroupCounts(() => new StratifiedSample());
    groups.rest.addPopulation("cpu0", 100);
    for (let i = 0; i < 20; i++) groups.group(i < 5 ? "a" : "b").add("cpu0", 1);
    expect(groups.counts().get("a")).toMatchObject({ value: 25 });
    expect(groups.counts().get("a")!.variance).toBeCloseTo(
      (100 ** 2 * 0.8 * ((5 / 20) * (15 / 20) * 20)) / 19 / 20,
      9,
    );
  });

  it("in strata have the shares that the whole sample has, also where they are empty", () => {
    const groups = new GroupCounts(() => new StratifiedSample());
    const marked = new StratifiedSample();
    for (const sample of [groups.rest, marked]) sample.addPopulation("cpu0", 1000);
    for (let i = 0; i < 100; i++) {
      groups.group(i < 10 ? "a" : "b").add("cpu0", 1);
      marked.add("cpu0", i < 10 ? 1 : 0);
    }
    groups.group("empty");
    for (const [options, method] of [
      [{ population: 1000 }, "hypergeometric"],
      [{}, "clopper_pearson"],
    ] as const) {
      const shares = groups.shares(options);
      const { value, lower, upper, effectiveSize } = estimateProportion(marked, options);
      expect(effectiveSize).toBe(100);
      const share = { value, lower, upper, effectiveSize };
      expect(shares.get("a")).toMatchObject(share);
      expect(shares.get("empty")).toMatchObject({ method, value: 0, lower: 0, effectiveSize });
      expect(shares.get("empty")!.upper).toBeLessThan(0.04);
    }
    expect(groups.shares({ population: 1000 }).get("a")!.method).toBe("hypergeometric");
  });

  it("of connections take a connection's events together", () => {
    const groups = new GroupCounts(() => new ClusterSample());
    for (let i = 0; i < 40; i++) {
      for (let j = 0; j < 5; j++) groups.group(j === 0 ? "a" : "b").add(2 ** 52 + i, 1, 0.5);
    }
    const { standardError } = groups.counts().get("b")!;
    expect(standardError).toBeCloseTo(Math.sqrt(40 * 0.5 * 8 ** 2), 9);
    expect(groups.shares().get("a")!.value).toBeCloseTo(0.2, 12);
  });

  it("beyond the bound are together", () => {
    const groups = new GroupCounts(() => new PoissonSample(), 3);
    for (let i = 0; i < 8; i++) groups.group(String(i)).add(1, 1);
    expect(groups.counts().get(OTHER_GROUP)).toMatchObject({ value: 5 });
  });
});
