/**
 * Designs against every outcome there is, in exact fractions: E[t̂] = t and E[V̂] = V for totals and for every linear
 * combination of the pair, so for covariances too. Mutants of each are caught by the same sums.
 */
import { describe, expect, it } from "vitest";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import {
  CLUSTER_RANDOMNESS_LIMIT,
  ClusterSample,
} from "#core/sampling/estimators/designs/cluster_sample.ts";
import { linear, type PairTotals } from "#core/sampling/estimators/designs/pair_totals.ts";
import { PoissonSample } from "#core/sampling/estimators/designs/poisson_sample.ts";
import { StratifiedSample } from "#core/sampling/estimators/designs/stratified_sample.ts";
import { Rational } from "../../../support/rational.ts";
import { thrown } from "../../../support/thrown.ts";
import { independentDraws, momentsOver, type Outcome, subsets, words } from "./outcomes.ts";

const Y = [3, -1, 8, 0, 5, 2, 7];
const X = [1, 2, 1, 4, 0, 1, 3];
/** Totals that are asked for: y, x, and residuals of a ratio, which need the covariance. */
const COMBINATIONS = [
  [1, 0],
  [0, 1],
  [1, -2],
] as const;

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const truth = ([a, b]: readonly [number, number]) => a * total(Y) + b * total(X);

function combined(totals: PairTotals, [a, b]: readonly [number, number]) {
  const { y, x, yy, xy, xx } = totals;
  // Not `linear`: its variance is cut at 0, and a mean over all outcomes must not be.
  return { value: a * y + b * x, variance: a * a * yy + 2 * a * b * xy + b * b * xx };
}

/** The variance of a combination as its value, with what it is known to. */
function varianceOf({ yy, xy, xx, fourth }: PairTotals, [a, b]: readonly [number, number]) {
  const [yyyy, yyyx, yyxx, yxxx, xxxx] = fourth;
  return {
    value: a * a * yy + 2 * a * b * xy + b * b * xx,
    variance:
      a ** 4 * yyyy +
      4 * a ** 3 * b * yyyx +
      6 * a * a * b * b * yyxx +
      4 * a * b ** 3 * yxxx +
      b ** 4 * xxxx,
  };
}

function close(actual: Rational, expected: Rational): void {
  expect(actual.toNumber()).toBeCloseTo(expected.toNumber(), 9);
}

describe("independent draws", () => {
  /** Powers of two, so that not a single rounding happens. */
  const RATES = [1 / 2, 1 / 4, 1, 1 / 8, 1 / 2, 1 / 4, 1 / 2];
  const rates = RATES.map(Rational.of);
  const sampleOf = (members: readonly number[], pis = RATES): PoissonSample => {
    const sample = new PoissonSample();
    for (const i of members) sample.add(Y[i]!, pis[i]!, X[i]!);
    return sample;
  };

  it.each(COMBINATIONS)(
    "are unbiased to the last bit, and so is the variance of %i y + %i x",
    (a, b) => {
      const moments = momentsOver(independentDraws(rates), (members) =>
        combined(sampleOf(members).totals(), [a, b]),
      );
      expect(moments.mean.isEqual(Rational.of(truth([a, b])))).toBe(true);
      expect(moments.estimated.isEqual(moments.variance)).toBe(true);
    },
  );

  it.each(COMBINATIONS)(
    "know the variance of the variance of %i y + %i x, to the last bit",
    (a, b) => {
      const moments = momentsOver(independentDraws(rates), (members) =>
        varianceOf(sampleOf(members).totals(), [a, b]),
      );
      expect(moments.estimated.isEqual(moments.variance)).toBe(true);
    },
  );

  it("are so for any probabilities, but for roundings", () => {
    const pis = [3 / 8, 1 / 3, 0.9, 0.1, 1, 2 / 3, 0.01];
    const moments = momentsOver(independentDraws(pis.map(Rational.of)), (members) =>
      combined(sampleOf(members, pis).totals(), [1, -1]),
    );
    close(moments.mean, Rational.of(truth([1, -1])));
    close(moments.estimated, moments.variance);
  });

  it("mutant: a pooled rate is biased", () => {
    const { mean } = momentsOver(independentDraws(rates), (members) => {
      const pooled = members.length / Y.length;
      return { value: pooled === 0 ? 0 : total(members.map((i) => Y[i]!)) / pooled, variance: 0 };
    });
    expect(Math.abs(mean.toNumber() - truth([1, 0]))).toBeGreaterThan(1);
  });

  it("mutant: a variance without its 1 - π is too large", () => {
    const { estimated, variance } = momentsOver(independentDraws(rates), (members) => ({
      value: sampleOf(members).totals().y,
      variance: total(members.map((i) => (Y[i]! / RATES[i]!) ** 2)),
    }));
    expect(estimated.toNumber()).toBeGreaterThan(1.2 * variance.toNumber());
  });

  it("a domain's share has the covariance of domain and whole", () => {
    const isInside = (i: number) => i % 3 !== 0;
    const moments = momentsOver(independentDraws(rates), (members) => {
      const [part, whole] = [new PoissonSample(), new PoissonSample()];
      for (const i of members) {
        whole.add(Y[i]!, RATES[i]!, X[i]!);
        if (isInside(i)) part.add(Y[i]!, RATES[i]!, X[i]!);
      }
      return combined(part.shareTotals(whole), [1, -2]);
    });
    const wanted = total(Y.filter((_, i) => isInside(i))) - 2 * total(X);
    expect(moments.mean.isEqual(Rational.of(wanted))).toBe(true);
    expect(moments.estimated.isEqual(moments.variance)).toBe(true);
  });

  it.each([0, -0.5, 1.5, Number.NaN])("refuse a probability of %f", (pi) => {
    expect(thrown(() => new PoissonSample().add(2, pi)).message).toContain(`probability ${pi}`);
  });
});

describe("strata of known size", () => {
  const STRATA = [
    { name: "a", members: [0, 1, 2, 3], n: 2 },
    { name: "b", members: [4, 5, 6], n: 2 },
  ];
  const outcomes = (): Outcome<number[]>[] => {
    const [a, b] = STRATA.map(({ members, n }) => subsets(members, n)) as [number[][], number[][]];
    const probability = new Rational(1n, BigInt(a.length * b.length));
    return a.flatMap((left) => b.map((right) => ({ sample: [...left, ...right], probability })));
  };
  const sampleOf = (members: readonly number[], only: readonly number[] = members) => {
    const sample = new StratifiedSample();
    for (const { name, members: all } of STRATA) {
      sample.addPopulation(name, all.length);
      for (const i of all)
        if (only.includes(i) && members.includes(i)) sample.add(name, Y[i]!, X[i]!);
    }
    return sample;
  };

  it.each(COMBINATIONS)("are unbiased, and so is the variance of %i y + %i x", (a, b) => {
    const moments = momentsOver(outcomes(), (members) =>
      combined(sampleOf(members).totals(), [a, b]),
    );
    close(moments.mean, Rational.of(truth([a, b])));
    close(moments.estimated, moments.variance);
  });

  it.each([2, 3, 5, 7])("one stratum is a simple random sample: %i of 7", (n) => {
    const all = subsets([0, 1, 2, 3, 4, 5, 6], n);
    const probability = new Rational(1n, BigInt(all.length));
    const moments = momentsOver(
      all.map((sample) => ({ sample, probability })),
      (members) => {
        const sample = new StratifiedSample();
        sample.addPopulation("all", Y.length);
        for (const i of members) sample.add("all", Y[i]!);
        return combined(sample.totals(), [1, 0]);
      },
    );
    close(moments.mean, Rational.of(truth([1, 0])));
    close(moments.estimated, moments.variance);
  });

  it("a domain counts the events of others as zeros", () => {
    const inside = [0, 2, 5];
    const moments = momentsOver(outcomes(), (members) =>
      combined(sampleOf(members, inside).totals(sampleOf(members)), [1, 0]),
    );
    close(moments.mean, Rational.of(total(inside.map((i) => Y[i]!))));
    close(moments.estimated, moments.variance);
    const share = momentsOver(outcomes(), (members) =>
      combined(sampleOf(members, inside).shareTotals(sampleOf(members)), [1, -2]),
    );
    close(share.mean, Rational.of(total(inside.map((i) => Y[i]!)) - 2 * total(X)));
    close(share.estimated, share.variance);
  });

  it("mutant: a domain that forgets the zeros estimates another variance", () => {
    const inside = [0, 2, 5];
    const { estimated, variance } = momentsOver(outcomes(), (members) => {
      const { y } = sampleOf(members, inside).totals(sampleOf(members));
      const alone = members.filter((i) => inside.includes(i)).map((i) => Y[i]!);
      const mean = alone.length === 0 ? 0 : total(alone) / alone.length;
      const spread = total(alone.map((value) => (value - mean) ** 2));
      return { value: y, variance: alone.length < 2 ? 0 : spread };
    });
    expect(estimated.toNumber()).toBeLessThan(0.5 * variance.toNumber());
  });

  it("mutant: without the finite population correction the variance is too large", () => {
    const { estimated, variance } = momentsOver(outcomes(), (members) => {
      const { y, yy } = sampleOf(members).totals();
      return { value: y, variance: yy / (1 - 4 / 7) };
    });
    expect(estimated.toNumber()).toBeGreaterThan(1.5 * variance.toNumber());
  });

  it.each([
    ["alone", 0],
    ["of a share", 3],
  ])("have the fourth central moments of what was drawn, %s", (_, outside) => {
    const [part, whole] = [new StratifiedSample(), new StratifiedSample()];
    whole.addPopulation("all", 20);
    const x = X.map((each) => 1000 + each);
    const y = Y.map((each, i) => (i < outside ? 0 : 3000 + each));
    for (const [i, each] of y.entries()) {
      if (i >= outside) part.add("all", each, x[i]!);
      whole.add("all", 1, x[i]!);
    }
    const deviations = (all: readonly number[]) => all.map((each) => each - total(all) / 7);
    const [dy, dx] = [deviations(y), deviations(x)];
    // w⁴ (1 - f)³
    const factor = (20 / 7) ** 4 * (13 / 20) ** 3;
    const { fourth } = part.shareTotals(whole);
    for (const [power, moment] of fourth.entries()) {
      const direct = total(dy.map((each, i) => each ** (4 - power) * dx[i]! ** power));
      expect(moment / (factor * direct)).toBeCloseTo(1, 2);
    }
  });

  it("small strata are pooled rather than taken for certain; unsampled ones with the smallest other", () => {
    const small = new StratifiedSample();
    for (const [name, y] of [["a", 1] as const, ["b", 9] as const]) {
      small.addPopulation(name, 10);
      small.add(name, y);
    }
    expect(small.totals()).toMatchObject({ y: 100, x: 20 });
    expect(small.totals().yy).toBeGreaterThan(0);
    const missed = new StratifiedSample();
    missed.addPopulation("missed", 5);
    for (const [name, size] of [["large", 50] as const, ["little", 10] as const]) {
      missed.addPopulation(name, size);
      for (const y of [1, 3]) missed.add(name, y);
    }
    expect(missed.totals()).toMatchObject({ y: 130, x: 65 });
  });

  it("refuse more sampled events than there are", () => {
    const sample = new StratifiedSample();
    sample.add("a", 1);
    expect(thrown(() => sample.totals()).message).toContain("1 events were sampled of 0");
  });
});

describe("connections that are kept as a whole", () => {
  /** R is one of eight values; thresholds are eighths, and differ between the events of a connection. */
  const GRID = 8;
  const CLUSTER = [0, 0, 0, 1, 1, 2, 2];
  const EIGHTHS = [4, 2, 4, 8, 1, 4, 4];
  const outcomes = () => words(GRID, 3);
  const randomness = (cluster: number, letter: number) =>
    letter * (CLUSTER_RANDOMNESS_LIMIT / GRID) + cluster;
  const isKept = (i: number, letters: readonly number[]) =>
    letters[CLUSTER[i]!]! >= GRID - EIGHTHS[i]!;
  const sampleOf = (letters: readonly number[], isInside = (_: number) => true) => {
    const sample = new ClusterSample();
    Y.forEach((y, i) => {
      if (!isKept(i, letters) || !isInside(i)) return;
      sample.add(randomness(CLUSTER[i]!, letters[CLUSTER[i]!]!), y, EIGHTHS[i]! / GRID, X[i]!);
    });
    return sample;
  };

  it.each(COMBINATIONS)(
    "are unbiased to the last bit, and so is the variance of %i y + %i x",
    (a, b) => {
      const moments = momentsOver(outcomes(), (letters) =>
        combined(sampleOf(letters).totals(), [a, b]),
      );
      expect(moments.mean.isEqual(Rational.of(truth([a, b])))).toBe(true);
      expect(moments.estimated.isEqual(moments.variance)).toBe(true);
    },
  );

  it("a domain's share has the covariance of domain and whole", () => {
    const isInside = (i: number) => i % 2 === 0;
    const moments = momentsOver(outcomes(), (letters) =>
      combined(sampleOf(letters, isInside).shareTotals(sampleOf(letters)), [1, -1]),
    );
    const wanted = total(Y.filter((_, i) => isInside(i))) - total(X);
    expect(moments.mean.isEqual(Rational.of(wanted))).toBe(true);
    expect(moments.estimated.isEqual(moments.variance)).toBe(true);
  });

  it("stay unbiased where memory keeps only those with the largest R; unraised thresholds would not", () => {
    const random = new Xoshiro128(23);
    const [clusters, limit, rounds] = [60, 20, 4000];
    let [mean, square, estimated, mutant] = [0, 0, 0, 0];
    for (let round = 0; round < rounds; round++) {
      const sample = new ClusterSample(limit);
      for (let c = 0; c < clusters; c++) {
        const letter = random.uniform();
        if (letter < 0.5) continue;
        const randomnessOf = Math.floor(letter * CLUSTER_RANDOMNESS_LIMIT);
        for (let i = 0; i <= c % 3; i++) sample.add(randomnessOf, 1, 0.5);
      }
      const { y, yy, sampled } = sample.totals();
      mean += y / rounds;
      square += (y * y) / rounds;
      estimated += yy / rounds;
      mutant += (2 * sampled) / rounds;
    }
    const variance = square - mean * mean;
    expect(Math.abs(mean - 2 * clusters) / Math.sqrt(variance / rounds)).toBeLessThan(5);
    expect(Math.abs(estimated / variance - 1)).toBeLessThan(0.12);
    expect(mutant).toBeLessThan(0.8 * 2 * clusters);
  });

  it("mutant: event by event the variance is far too small", () => {
    const positive = Y.map(Math.abs);
    const { estimated, variance } = momentsOver(outcomes(), (letters) => {
      const sample = new PoissonSample();
      positive.forEach((y, i) => {
        if (isKept(i, letters)) sample.add(y, EIGHTHS[i]! / GRID);
      });
      return combined(sample.totals(), [1, 0]);
    });
    expect(estimated.toNumber()).toBeLessThan(0.8 * variance.toNumber());
  });

  it("mutant: (1 - π) Y²/π² of sums with several probabilities is another variance", () => {
    const { estimated, variance } = momentsOver(outcomes(), (letters) => {
      const sums = [0, 0, 0];
      let rest = 0;
      Y.forEach((y, i) => {
        if (isKept(i, letters)) sums[CLUSTER[i]!]! += (y * GRID) / EIGHTHS[i]!;
      });
      for (const [c, sum] of sums.entries()) {
        const largest = Math.max(...EIGHTHS.filter((_, i) => CLUSTER[i] === c)) / GRID;
        rest += (1 - largest) * sum * sum;
      }
      return { value: total(sums), variance: rest };
    });
    expect(Math.abs(estimated.toNumber() / variance.toNumber() - 1)).toBeGreaterThan(0.1);
  });
});

describe("degrees of freedom", () => {
  it("are 2 V²/Var(V): few where few draws make the variance up", () => {
    const sample = new PoissonSample();
    for (let i = 0; i < 40; i++) sample.add(1, 0.5);
    // Each of n alike is 1/n of the variance, of which 1 - π varies.
    expect(linear(sample.totals(), 1, 0).degrees).toBeCloseTo(2 * 40 * 2, 9);
    sample.add(100, 0.5);
    expect(linear(sample.totals(), 1, 0).degrees).toBeLessThan(4.1);
  });

  it("are not made up of roundings", () => {
    const [alike, distant] = [new PoissonSample(), new PoissonSample()];
    for (let i = 0; i < 100; i++) {
      alike.add(0.1, 0.3);
      distant.add(1e9 + (i % 2), 0.3);
    }
    for (const sample of [alike, distant]) {
      const totals = sample.totals();
      const mean = totals.y / totals.x;
      const { degrees } = linear(totals, 1 / totals.x, -mean / totals.x);
      expect(degrees).toBeGreaterThan(99);
    }
  });
});

it("the variance of a combination is never below zero", () => {
  const sample = new ClusterSample();
  sample.add(2 ** 52, 1, 0.5);
  sample.add(2 ** 52, -1, 0.25);
  expect(linear(sample.totals(), 1, 0).variance).toBeGreaterThanOrEqual(0);
});
