/** VarOpt over every path that its choices can take, and its accuracy on heavy tails. */
import { describe, expect, it } from "vitest";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { VarOptSample } from "#core/sampling/selection/varopt.ts";
import { estimateWeights, type WeightedItem } from "#core/sampling/selection/weighted_items.ts";
import { Rational, sumOf } from "../../../support/rational.ts";
import { thrown } from "../../../support/thrown.ts";
import { type Choices, everyPath, type Path } from "./every_path.ts";

const K = 3;
const STREAMS = [
  [1, 2, 3, 10, 4, 1],
  [10, 1, 1, 1, 1, 1],
  [5, 5, 5, 5, 5, 5],
  [1, 2, 4, 8, 16, 32],
  [32, 16, 8, 4, 2, 1],
  [7, 0.5, 3, 3, 0.25, 6],
];

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** τ with Σ min(1, w/τ) = k, by trying how many weights are above it. */
function threshold(weights: readonly number[], k: number): number {
  const sorted = [...weights].sort((left, right) => right - left);
  for (let heavy = 0; heavy < k; heavy++) {
    const tau = total(sorted.slice(heavy)) / (k - heavy);
    if (sorted[heavy]! <= tau) return tau;
  }
  throw new Error("there is no threshold");
}

type Sample = readonly WeightedItem<number>[];

function streamed(weights: readonly number[], choices: Choices): Sample {
  const sample = new VarOptSample<number>(K, choices);
  for (const [i, weight] of weights.entries()) sample.offer(weight, i);
  expect(sample.total().value).toBeCloseTo(total(weights), 12);
  return sample.sample();
}

/** The first half and the second on nodes of their own. */
function mergedParts(weights: readonly number[], choices: Choices): Sample {
  const parts = [0, 1].map(() => new VarOptSample<number>(K, choices));
  for (const [i, weight] of weights.entries()) parts[i % 2]!.offer(weight, i);
  // Both parts must have something to leave out.
  for (const [i, part] of parts.entries()) part.offer(2, weights.length + i);
  const merged = new VarOptSample<number>(K, choices);
  for (const part of parts) merged.merge(part);
  return merged.sample();
}

const stoodFor = (sample: Sample, item: number) =>
  Rational.of(sample.find((each) => each.item === item)?.estimate ?? 0);

/** E[ŵ_i ŵ_j] - E[ŵ_i] E[ŵ_j]. */
function covariance(paths: readonly Path<Sample>[], i: number, j: number): number {
  const mean = (of: (sample: Sample) => Rational) =>
    sumOf(paths.map(({ result, probability }) => probability.times(of(result))));
  const product = mean((sample) => stoodFor(sample, i).times(stoodFor(sample, j)));
  const means = [i, j].map((item) => mean((sample) => stoodFor(sample, item)));
  return product.minus(means[0]!.times(means[1]!)).toNumber();
}

describe("VarOpt of 3 out of 6, over all paths", () => {
  it.each(STREAMS)("of weights %d, %d, %d, %d, %d, %d", (...weights) => {
    const paths = everyPath((choices) => streamed(weights, choices));
    expect(sumOf(paths.map(({ probability }) => probability)).isEqual(Rational.ONE)).toBe(true);
    const tau = threshold(weights, K);
    for (const [i, weight] of weights.entries()) {
      const isIn = paths.filter(({ result }) => result.some(({ item }) => item === i));
      const inclusion = sumOf(isIn.map(({ probability }) => probability)).toNumber();
      expect(inclusion).toBeCloseTo(Math.min(1, weight / tau), 12);
      for (const { result } of isIn) {
        expect(result.find(({ item }) => item === i)!.estimate).toBeCloseTo(
          Math.max(weight, tau),
          12,
        );
      }
    }
    for (const { result } of paths) expect(result).toHaveLength(K);
  });

  it.each(STREAMS)(
    "no two are positively correlated, and all covariances add up to 0: %d, …",
    (...weights) => {
      const paths = everyPath((choices) => streamed(weights, choices));
      let sum = 0;
      for (const i of weights.keys()) {
        for (const j of weights.keys()) {
          const found = covariance(paths, i, j);
          sum += found;
          if (i !== j) expect(found).toBeLessThanOrEqual(1e-12);
        }
      }
      expect(sum).toBeCloseTo(0, 10);
    },
  );

  it.each([STREAMS[0]!, STREAMS[1]!, STREAMS[3]!])(
    "merged parts keep k, are unbiased and lose no total: %d, …",
    (...weights) => {
      const all = [...weights, 2, 2];
      const paths = everyPath((choices) => mergedParts(weights, choices));
      for (const { result } of paths) {
        expect(result).toHaveLength(K);
        expect(total(result.map(({ estimate }) => estimate))).toBeCloseTo(total(all), 10);
      }
      for (const [i, weight] of all.entries()) {
        const mean = sumOf(
          paths.map(({ result, probability }) => probability.times(stoodFor(result, i))),
        );
        expect(mean.toNumber()).toBeCloseTo(weight, 10);
      }
      for (let i = 1; i < all.length; i++) {
        expect(covariance(paths, 0, i)).toBeLessThanOrEqual(1e-12);
      }
    },
  );

  it("mutant: merging by true weights, not by what was stood for, loses some of the total", () => {
    const paths = everyPath((choices) => {
      const part = new VarOptSample<number>(K, choices);
      for (const [i, weight] of STREAMS[0]!.entries()) part.offer(weight, i);
      const merged = new VarOptSample<number>(K, choices);
      for (const { item, weight } of part.sample()) merged.offer(weight, item);
      return merged.total().value;
    });
    const mean = sumOf(
      paths.map(({ result, probability }) => probability.times(Rational.of(result))),
    );
    expect(mean.toNumber()).toBeLessThan(0.9 * total(STREAMS[0]!));
  });

  it("mutant: leaving out any of the k + 1 alike is biased", () => {
    const weights = STREAMS[0]!;
    const paths = everyPath(({ below }) => {
      const kept: number[] = [];
      for (const i of weights.keys()) {
        kept.push(i);
        if (kept.length > K) kept.splice(below(K + 1), 1);
      }
      const tau = threshold(weights, K);
      return kept.map((item) => ({
        ...{ item, weight: weights[item]!, estimate: Math.max(weights[item]!, tau) },
      }));
    });
    const mean = sumOf(
      paths.map(({ result, probability }) => probability.times(stoodFor(result, 3))),
    );
    expect(Math.abs(mean.toNumber() - weights[3]!)).toBeGreaterThan(1);
  });
});

describe("VarOpt", () => {
  const random = new Xoshiro128(3);
  const choices: Choices = {
    chance: (p) => random.uniform() < p,
    below: (limit) => Math.floor(random.uniform() * limit),
  };

  it("of Pareto 1.1 at 1 %: the total exactly, a tenth of the events within 8 %", () => {
    const [EVENTS, SAMPLED, ROUNDS] = [20_000, 200, 60];
    const weights = Float64Array.from({ length: EVENTS }, () => random.uniform() ** (-1 / 1.1));
    const isInside = (i: number) => i % 10 === 0;
    const truth = weights.reduce((sum, w, i) => (isInside(i) ? sum + w : sum), 0);
    let [squares, covered] = [0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      const sample = new VarOptSample<number>(SAMPLED, choices);
      weights.forEach((w, i) => {
        sample.offer(w, i);
      });
      expect(sample.total().value / total([...weights])).toBeCloseTo(1, 9);
      const { value, lower, upper } = sample.subset(isInside);
      squares += (value / truth - 1) ** 2 / ROUNDS;
      if (lower <= truth && truth <= upper) covered += 1;
    }
    // The bound of k = 1000 is 8 %; errors go with 1/√k.
    expect(Math.sqrt(squares)).toBeLessThan(0.08 * Math.sqrt(5));
    expect(covered).toBeGreaterThan(0.85 * ROUNDS);
  });

  it("knows the variance of a part; mutant: as of independent draws it is twice that of a half", () => {
    const [EVENTS, SAMPLED, ROUNDS] = [1000, 100, 600];
    const weights = Float64Array.from({ length: EVENTS }, () => 1 + random.uniform());
    const isInside = (i: number) => i % 2 === 0;
    let [mean, square, estimated, independent] = [0, 0, 0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      const sample = new VarOptSample<number>(SAMPLED, choices);
      weights.forEach((w, i) => {
        sample.offer(w, i);
      });
      const { value, variance } = sample.subset(isInside);
      mean += value / ROUNDS;
      square += value ** 2 / ROUNDS;
      estimated += variance / ROUNDS;
      const inside = sample.sample().filter(({ item }) => isInside(item));
      independent += estimateWeights(inside, 0.95).variance / ROUNDS;
    }
    const variance = square - mean * mean;
    // A variance of 600 rounds is known to 6 %.
    expect(Math.abs(estimated / variance - 1)).toBeLessThan(0.25);
    expect(independent).toBeGreaterThan(1.5 * variance);
  });

  it("does not trust a part that has nearly all that was sampled, or all", () => {
    const sample = new VarOptSample<number>(100, choices);
    for (let i = 0; i < 1000; i++) sample.offer(1 + (i % 7), i);
    const [first] = sample.sample();
    expect(sample.subset((i) => i !== first!.item).reasons).toContain("few_events");
    expect(sample.subset(() => true)).toMatchObject({
      variance: 0,
      reasons: ["few_events", "no_spread"],
    });
    expect(sample.total()).toMatchObject({ value: expect.closeTo(3997, 6), reasons: [] });
  });

  it("keeps all of up to k, and refuses what is no weight", () => {
    const sample = new VarOptSample<string>(2, choices);
    sample.offer(3, "a");
    sample.offer(0, "never");
    sample.offer(4, "b");
    expect(sample.threshold).toBe(0);
    expect(sample.subset(() => true)).toMatchObject({ value: 7, lower: 7, upper: 7 });
    for (const weight of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(thrown(() => sample.offer(weight, "c")).message).toContain(`the weight is ${weight}`);
    }
    expect(thrown(() => new VarOptSample(0, choices)).message).toContain("k is 0");
  });
});
