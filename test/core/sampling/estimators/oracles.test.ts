/**
 * Estimators against every sample there is: with probabilities that are powers of two all sums are exact, so
 * E[t̂] = t and E[V̂] = V have to hold to the last bit. Mutants of each estimator are caught by the same sums.
 */
import { describe, expect, it } from "vitest";
import { ClusterTotal } from "#core/sampling/estimators/cluster_total.ts";
import { HajekMean } from "#core/sampling/estimators/hajek_mean.ts";
import { PoissonTotal } from "#core/sampling/estimators/poisson_total.ts";
import { StratifiedTotal } from "#core/sampling/estimators/stratified_total.ts";

const VALUES = [3, -1, 8, 0, 5, 2, 7, 1];
const RATES = [1 / 2, 1 / 4, 1, 1 / 8, 1 / 2, 1 / 4, 1 / 2, 1];

interface Chosen {
  readonly members: readonly number[];
  readonly probability: number;
}

/** Every sample of independent draws. */
function* poissonSamples(rates: readonly number[]): Generator<Chosen> {
  for (let mask = 0; mask < 2 ** rates.length; mask++) {
    const members = rates.flatMap((_, i) => ((mask >> i) & 1 ? [i] : []));
    const probability = rates.reduce((p, pi, i) => p * ((mask >> i) & 1 ? pi : 1 - pi), 1);
    if (probability > 0) yield { members, probability };
  }
}

/** Every subset of n out of N. */
function* subsets(size: number, n: number): Generator<readonly number[]> {
  for (let mask = 0; mask < 2 ** size; mask++) {
    const members = Array.from({ length: size }, (_, i) => i).filter((i) => (mask >> i) & 1);
    if (members.length === n) yield members;
  }
}

interface Expectation {
  readonly value: number;
  /** E[V̂]. */
  readonly estimatedVariance: number;
  /** Var[t̂]. */
  readonly variance: number;
}

function expectation(
  samples: Iterable<Chosen>,
  estimate: (members: readonly number[]) => { readonly value: number; readonly variance: number },
): Expectation {
  let [value, square, estimatedVariance] = [0, 0, 0];
  for (const { members, probability } of samples) {
    const result = estimate(members);
    value += probability * result.value;
    square += probability * result.value * result.value;
    estimatedVariance += probability * result.variance;
  }
  return { value, estimatedVariance, variance: square - value * value };
}

const TOTAL = VALUES.reduce((sum, y) => sum + y, 0);

function poisson(members: readonly number[]): PoissonTotal {
  const total = new PoissonTotal();
  for (const i of members) total.add(VALUES[i]!, RATES[i]!);
  return total;
}

describe("Horvitz-Thompson totals of independent draws", () => {
  it("are exactly unbiased, and so is their variance", () => {
    const { value, variance, estimatedVariance } = expectation(poissonSamples(RATES), (members) => {
      const { total, variance: v } = poisson(members);
      return { value: total, variance: v };
    });
    expect(value).toBe(TOTAL);
    expect(estimatedVariance).toBe(variance);
  });

  it("merge exactly", () => {
    for (const { members } of poissonSamples(RATES)) {
      const left = poisson(members.filter((i) => i % 2 === 0));
      left.merge(poisson(members.filter((i) => i % 2 === 1)));
      expect(left.estimate()).toEqual(poisson(members).estimate());
    }
  });

  it("mutant: a pooled rate is biased", () => {
    const { value } = expectation(poissonSamples(RATES), (members) => {
      const pooled = members.length / VALUES.length;
      const sum = members.reduce((total, i) => total + VALUES[i]!, 0);
      return { value: pooled === 0 ? 0 : sum / pooled, variance: 0 };
    });
    expect(Math.abs(value - TOTAL)).toBeGreaterThan(1);
  });

  it("mutant: a variance without its 1 - π is too large", () => {
    const { estimatedVariance, variance } = expectation(poissonSamples(RATES), (members) => ({
      value: poisson(members).total,
      variance: members.reduce((sum, i) => sum + (VALUES[i]! / RATES[i]!) ** 2, 0),
    }));
    expect(estimatedVariance).toBeGreaterThan(1.2 * variance);
  });
});

describe("totals of simple random samples", () => {
  const every = (n: number): Chosen[] => {
    const all = [...subsets(VALUES.length, n)];
    return all.map((members) => ({ members, probability: 1 / all.length }));
  };
  const stratum = (members: readonly number[]): StratifiedTotal => {
    const total = new StratifiedTotal();
    total.addPopulation("all", VALUES.length);
    for (const i of members) total.add("all", VALUES[i]!);
    return total;
  };

  it.each([2, 3, 5, 8])("of %i out of 8 are unbiased, and so is their variance", (n) => {
    const { value, variance, estimatedVariance } = expectation(every(n), (members) =>
      stratum(members).estimate(),
    );
    expect(value).toBeCloseTo(TOTAL, 10);
    expect(estimatedVariance).toBeCloseTo(variance, 8);
  });

  it("mutant: without the finite population correction the variance is too large", () => {
    const { variance, estimatedVariance } = expectation(every(5), (members) => {
      const { value, variance: corrected } = stratum(members).estimate();
      return { value, variance: corrected / (1 - 5 / VALUES.length) };
    });
    expect(estimatedVariance).toBeGreaterThan(2 * variance);
  });

  it("strata add, and merge exactly", () => {
    const add = (total: StratifiedTotal, part: (i: number) => boolean): StratifiedTotal => {
      VALUES.forEach((y, i) => {
        if (!part(i)) return;
        total.addPopulation(String(i % 2), 2);
        total.add(String(i % 2), y);
      });
      return total;
    };
    const left = add(new StratifiedTotal(), (i) => i < 4);
    left.merge(add(new StratifiedTotal(), (i) => i >= 4));
    const whole = add(new StratifiedTotal(), () => true);
    expect(left.estimate()).toEqual(whole.estimate());
    expect(whole.estimate().value).toBe(2 * TOTAL);
  });

  it("small strata are pooled rather than taken for certain", () => {
    const total = new StratifiedTotal();
    for (const [name, y] of [
      ["a", 1],
      ["b", 9],
    ] as const) {
      total.addPopulation(name, 10);
      total.add(name, y);
    }
    expect(total.estimate()).toMatchObject({ value: 100 });
    expect(total.estimate().variance).toBeGreaterThan(0);
    expect(total.estimate().warning).toBeDefined();
  });
});

describe("totals of clusters", () => {
  const CLUSTER = [0, 0, 1, 1, 1, 2, 3, 3];
  const CLUSTER_RATES = [1 / 2, 1 / 4, 1 / 2, 1 / 8];

  it("are exactly unbiased, and so is their variance; event by event it is far too small", () => {
    const clusters = (members: readonly number[]): ClusterTotal => {
      const total = new ClusterTotal();
      VALUES.forEach((y, i) => {
        const c = CLUSTER[i]!;
        if (members.includes(c)) total.add(String(c), y, CLUSTER_RATES[c]!);
      });
      return total;
    };
    const right = expectation(poissonSamples(CLUSTER_RATES), (members) =>
      clusters(members).estimate(),
    );
    expect(right.value).toBe(TOTAL);
    expect(right.estimatedVariance).toBe(right.variance);
    const wrong = expectation(poissonSamples(CLUSTER_RATES), (members) => {
      const total = new PoissonTotal();
      VALUES.forEach((y, i) => {
        const c = CLUSTER[i]!;
        if (members.includes(c)) total.add(y, CLUSTER_RATES[c]!);
      });
      return { value: total.total, variance: total.variance };
    });
    expect(wrong.estimatedVariance).toBeLessThan(0.8 * wrong.variance);
  });
});

describe("Hájek means", () => {
  it("are the mean where everything was kept, without variance", () => {
    const mean = new HajekMean();
    for (const y of VALUES) mean.add(y, 1);
    expect(mean.estimate()).toMatchObject({ value: TOTAL / VALUES.length, variance: 0 });
    expect(mean.estimate().warning).toBeUndefined();
  });

  it("have the variance of their linearization", () => {
    for (const { members } of poissonSamples(RATES)) {
      const mean = new HajekMean();
      for (const i of members) mean.add(VALUES[i]!, RATES[i]!);
      const weights = members.reduce((sum, i) => sum + 1 / RATES[i]!, 0);
      const { value, variance } = mean.estimate();
      const direct = members.reduce(
        (sum, i) => sum + (1 - RATES[i]!) * ((VALUES[i]! - value) / RATES[i]!) ** 2,
        0,
      );
      expect(variance).toBeCloseTo(weights === 0 ? 0 : direct / weights ** 2, 9);
    }
  });
});

describe("warnings", () => {
  it("say so where nothing, little, or mostly one event was sampled", () => {
    expect(new PoissonTotal().estimate().warning).toMatch(/nothing was sampled/);
    const few = new PoissonTotal();
    for (let i = 0; i < 5; i++) few.add(1, 0.5);
    expect(few.estimate().warning).toMatch(/worth 5\.0 events/);
    const heavy = new PoissonTotal();
    for (let i = 0; i < 100; i++) heavy.add(i === 0 ? 1000 : 1, 0.5);
    expect(heavy.estimate().warning).toMatch(/one event carries/);
    const fine = new PoissonTotal();
    for (let i = 0; i < 100; i++) fine.add(1, 0.5);
    expect(fine.estimate().warning).toBeUndefined();
    expect(() => fine.estimate(1)).toThrow();
  });
});
