/** Coverage by enumeration of every outcome: no simulation, no false alarm. */

import { describe, expect, it } from "vitest";
import { binomialProbability } from "#core/stats/distributions/binomial.ts";
import { hypergeometricProbability } from "#core/stats/distributions/hypergeometric.ts";
import { agrestiCoullInterval } from "#core/stats/intervals/agresti_coull.ts";
import { anytimeInterval } from "#core/stats/intervals/anytime.ts";
import { clopperPearsonInterval } from "#core/stats/intervals/clopper_pearson.ts";
import { hypergeometricInterval } from "#core/stats/intervals/hypergeometric.ts";
import type { Interval } from "#core/stats/intervals/interval.ts";
import { jeffreysInterval } from "#core/stats/intervals/jeffreys.ts";
import { waldInterval } from "#core/stats/intervals/wald.ts";
import { wilsonInterval } from "#core/stats/intervals/wilson.ts";

type Method = (successes: number, trials: number, confidence: number) => Interval;

function intervals(method: Method, n: number): readonly Interval[] {
  return Array.from({ length: n + 1 }, (_, x) => method(x, n, 0.95));
}

/** P(the interval holds p) for n trials, summed over all outcomes that are not negligible. */
function coverage(found: readonly Interval[], p: number): number {
  const n = found.length - 1;
  const reach = 12 * Math.sqrt(n * p * (1 - p)) + 20;
  const last = Math.min(n, Math.ceil(n * p + reach));
  let sum = 0;
  for (let x = Math.max(0, Math.floor(n * p - reach)); x <= last; x += 1) {
    const { lower, upper } = found[x]!;
    if (lower <= p && p <= upper) sum += binomialProbability(x, n, p);
  }
  return sum;
}

/** [method, n, smallest, mean] over p = 0.0005, 0.001, …, 0.9995, as published to three digits. */
const TABLE: readonly (readonly [Method, number, number, number])[] = [
  [waldInterval, 30, 0.015, 0.875],
  [wilsonInterval, 30, 0.848, 0.953],
  [agrestiCoullInterval, 30, 0.934, 0.96],
  [jeffreysInterval, 30, 0.889, 0.951],
  [clopperPearsonInterval, 30, 0.951, 0.973],
  [waldInterval, 100, 0.049, 0.923],
  [wilsonInterval, 100, 0.861, 0.951],
  [agrestiCoullInterval, 100, 0.939, 0.956],
  [jeffreysInterval, 100, 0.881, 0.95],
  [clopperPearsonInterval, 100, 0.95, 0.965],
  [waldInterval, 1000, 0.393, 0.946],
  [wilsonInterval, 1000, 0.91, 0.95],
  [agrestiCoullInterval, 1000, 0.944, 0.951],
  [jeffreysInterval, 1000, 0.917, 0.95],
  [clopperPearsonInterval, 1000, 0.95, 0.955],
];

describe("exact coverage at nominal 0.95", () => {
  for (const [method, n, smallest, mean] of TABLE) {
    it(`${method.name}, n = ${n}: at least ${smallest}, ${mean} on average`, () => {
      const found = intervals(method, n);
      const covered = Array.from({ length: 1999 }, (_, i) => coverage(found, (i + 1) / 2000));
      expect(Math.abs(Math.min(...covered) - smallest)).toBeLessThan(0.00065);
      const sum = covered.reduce((a, b) => a + b);
      expect(Math.abs(sum / covered.length - mean)).toBeLessThan(0.00065);
    });
  }

  it("of an error rate of 0.001 in 1000 events: Wald 63 %, Wilson 92 %, Clopper-Pearson 98 %", () => {
    const at = (method: Method) => Math.round(100 * coverage(intervals(method, 1000), 0.001));
    expect([waldInterval, wilsonInterval, clopperPearsonInterval].map(at)).toEqual([63, 92, 98]);
  });

  it("of the hypergeometric interval is at least nominal for every count in every population", () => {
    let smallest = 1;
    for (const population of [1, 2, 9, 50]) {
      for (const drawn of new Set([1, Math.ceil(population / 3), population])) {
        const least = leastHypergeometricCoverage(population, drawn);
        smallest = Math.min(smallest, least);
        expect(least, `${drawn} of ${population}`).toBeGreaterThanOrEqual(0.95 - 1e-12);
      }
    }
    // One more on either side excluded by mistake, or the correction forgotten, would show.
    expect(smallest).toBeLessThan(0.97);
  });

  it("of the anytime sequence over all paths of 60 looks is at least nominal", () => {
    for (const p of [0.01, 0.1, 0.5]) expect(coverageOfEveryLook(p, 60)).toBeGreaterThan(0.95);
  });
});

function leastHypergeometricCoverage(population: number, drawn: number): number {
  let smallest = 1;
  for (let marked = 0; marked <= population; marked += 1) {
    let sum = 0;
    for (let x = Math.max(0, drawn + marked - population); x <= Math.min(drawn, marked); x += 1) {
      const { lower, upper } = hypergeometricInterval(x, drawn, population, 0.95);
      const inside = lower * population <= marked + 1e-9 && upper * population >= marked - 1e-9;
      if (inside) sum += hypergeometricProbability(x, population, marked, drawn);
    }
    smallest = Math.min(smallest, sum);
  }
  return smallest;
}

/** P(no look at 1, 2, …, `looks` events excludes p): the paths still inside, step by step. */
function coverageOfEveryLook(p: number, looks: number): number {
  let inside = new Float64Array(looks + 2);
  inside[0] = 1;
  for (let n = 1; n <= looks; n += 1) {
    const next = new Float64Array(looks + 2);
    for (let x = 0; x <= n; x += 1) {
      const { lower, upper } = anytimeInterval(x, n, 0.95);
      if (p < lower || p > upper) continue;
      next[x] = (1 - p) * inside[x]! + (x === 0 ? 0 : p * inside[x - 1]!);
    }
    inside = next;
  }
  return inside.reduce((a, b) => a + b);
}
