/** Selection algorithms over every tape of random numbers that they can read. */
import { describe, expect, it } from "vitest";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { BottomK } from "#core/sampling/selection/bottom_k.ts";
import { PrioritySample } from "#core/sampling/selection/priority_sample.ts";
import { Reservoir } from "#core/sampling/selection/reservoir.ts";
import { rateFromThreshold } from "#core/sampling/threshold.ts";
import { thrown } from "../../../support/thrown.ts";
import { everyPath } from "./every_path.ts";

/** How many of all tapes of random numbers lead to each outcome. */
function everyTape(body: (below: (limit: number) => number) => string): Map<string, number> {
  const outcomes = new Map<string, number>();
  for (const { result } of everyPath(({ below }) => body(below))) {
    outcomes.set(result, (outcomes.get(result) ?? 0) + 1);
  }
  return outcomes;
}

describe("algorithm R", () => {
  it("of 3 out of 6: all 120 tapes hit each of the 20 subsets exactly 6 times", () => {
    const outcomes = everyTape((below) => {
      const reservoir = new Reservoir<number>(3, below);
      for (let i = 0; i < 6; i++) reservoir.offer(i);
      return [...reservoir.sample()].sort().join();
    });
    expect(outcomes.size).toBe(20);
    expect(new Set(outcomes.values())).toEqual(new Set([6]));
  });

  it("mutant: a place one too far, and subsets are no longer alike", () => {
    const outcomes = everyTape((below) => {
      const kept: number[] = [];
      for (let i = 0; i < 6; i++) {
        if (kept.length < 3) kept.push(i);
        else {
          const place = below(i);
          if (place < 3) kept[place] = i;
        }
      }
      return [...kept].sort().join();
    });
    expect(new Set(outcomes.values()).size).toBeGreaterThan(1);
  });

  it("knows its rate", () => {
    const reservoir = new Reservoir<number>(2, () => 0);
    reservoir.offer(1);
    expect(reservoir.rate).toBe(1);
    for (let i = 0; i < 7; i++) reservoir.offer(i);
    expect(reservoir.rate).toBe(0.25);
  });
});

const random = new Xoshiro128(7);
const R = (): readonly [number, number] => [random.u32(), random.u32() >>> 8];

describe("the k largest", () => {
  it("drawn by parts and merged are those of the whole stream, bit for bit", () => {
    for (let round = 0; round < 50; round++) {
      const k = 1 + (round % 10);
      const whole = new BottomK<number>(k);
      const parts = Array.from({ length: 4 }, () => new BottomK<number>(k));
      for (let i = 0; i < 7 * round; i++) {
        const [high, low] = R();
        whole.offer(high, low, i);
        parts[random.u32() % 4]!.offer(high, low, i);
      }
      const merged = new BottomK<number>(k);
      for (const part of parts) merged.merge(part);
      expect(merged.sample()).toEqual(whole.sample());
      expect(merged.threshold()).toBe(whole.threshold());
      expect(merged.offered).toBe(whole.offered);
    }
  });

  it("keeps all of up to k, with certainty", () => {
    const bottom = new BottomK<number>(3);
    for (let i = 0; i < 3; i++) bottom.offer(i, 0, i);
    expect(bottom.threshold()).toBe(0n);
    expect(bottom.sample()).toHaveLength(3);
    bottom.offer(9, 9, 9);
    expect(bottom.sample().map(({ item }) => item)).toEqual([9, 2, 1]);
    // The one that was left out had R = 0, so T is 1.
    expect(bottom.threshold()).toBe(1n);
  });

  it("weighed by its threshold estimates the stream without bias; k - 1 as divisor does not", () => {
    const [STREAM, K, ROUNDS] = [200, 20, 4000];
    let [right, mutant] = [0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      const bottom = new BottomK<number>(K);
      for (let i = 0; i < STREAM; i++) bottom.offer(...R(), i);
      const rate = rateFromThreshold(bottom.threshold());
      right += K / rate / ROUNDS;
      mutant += (K + 1) / rate / ROUNDS;
    }
    // The estimate's relative deviation is 1/√(k-1); of the mean of 4,000 some 0.4 %.
    expect(Math.abs(right / STREAM - 1)).toBeLessThan(0.02);
    expect(Math.abs(mutant / STREAM - 1)).toBeGreaterThan(0.03);
  });
});

describe("priority sampling", () => {
  /** u on a grid of midpoints: the mean over the grid is an integral of a smooth function. */
  const GRID = 20;
  const WEIGHTS = [1, 2, 5];

  it("is unbiased over a grid of all draws, and so is its variance", () => {
    let [value, square, variance, cells] = [0, 0, 0, 0];
    for (let a = 0; a < GRID; a++) {
      for (let b = 0; b < GRID; b++) {
        for (let c = 0; c < GRID; c++) {
          const sample = new PrioritySample<number>(2);
          for (const [i, cell] of [a, b, c].entries()) {
            sample.offer(WEIGHTS[i]!, (cell + 0.5) / GRID, i);
          }
          const total = sample.total();
          value += total.value;
          square += total.value ** 2;
          variance += total.variance;
          cells += 1;
        }
      }
    }
    expect(value / cells).toBeCloseTo(8, 1);
    expect(square / cells - (value / cells) ** 2).toBeGreaterThan(0);
    expect(variance / cells).toBeGreaterThan(0);
  });

  it("merges to the sample of the whole stream", () => {
    const whole = new PrioritySample<number>(10);
    const parts = [new PrioritySample<number>(10), new PrioritySample<number>(10)];
    for (let i = 0; i < 500; i++) {
      const [weight, u] = [1 / random.uniform(), random.uniform()];
      whole.offer(weight, u, i);
      parts[i % 2]!.offer(weight, u, i);
    }
    parts[0]!.merge(parts[1]!);
    expect(parts[0]!.sample()).toEqual(whole.sample());
  });

  it("of Pareto 1.1 at 1 %: the total within 3.2 %, ten times better than uniform", () => {
    const [EVENTS, K, ROUNDS] = [100_000, 1000, 40];
    const weights = Float64Array.from({ length: EVENTS }, () => random.uniform() ** (-1 / 1.1));
    const truth = weights.reduce((sum, w) => sum + w, 0);
    let [priority, uniform] = [0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      const sample = new PrioritySample<number>(K);
      let kept = 0;
      weights.forEach((w, i) => {
        sample.offer(w, random.uniform(), i);
        if (random.uniform() < K / EVENTS) kept += w;
      });
      priority += (sample.total().value / truth - 1) ** 2 / ROUNDS;
      uniform += ((kept * EVENTS) / K / truth - 1) ** 2 / ROUNDS;
    }
    expect(Math.sqrt(priority)).toBeLessThanOrEqual(0.032);
    expect(Math.sqrt(uniform)).toBeGreaterThan(10 * Math.sqrt(priority));
  });
});

it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("a weight of %f is refused", (weight) => {
  const offer = () => new PrioritySample<string>(2).offer(weight, 0.5, "a");
  expect(thrown(offer).message).toContain(`the weight is ${weight}`);
});

it.each([0, -1, 1.5, Number.NaN])("a sample of %f is refused", (k) => {
  for (const make of [
    () => new BottomK(k),
    () => new PrioritySample(k),
    () => new Reservoir(k, () => 0),
  ]) {
    expect(thrown(make).message).toContain(`k is ${k}`);
  }
});
