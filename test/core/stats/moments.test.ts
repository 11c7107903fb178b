import { describe, expect, it } from "vitest";
import { BpfError } from "#core/errors.ts";
import { finitePopulationCorrection, Moments } from "#core/stats/moments.ts";

function momentsOf(values: readonly number[], weights: readonly number[] = []): Moments {
  const moments = new Moments();
  values.forEach((value, i) => {
    moments.add(value, weights[i] ?? 1);
  });
  return moments;
}

describe("Moments", () => {
  it("is NaN, not 0, where nothing was seen, and has no variance of one value", () => {
    const none = new Moments();
    expect([none.count, none.weight, none.effectiveCount]).toEqual([0, 0, 0]);
    expect([none.mean, none.variance, none.standardError()]).toEqual([NaN, NaN, NaN]);
    const one = momentsOf([5]);
    expect([one.mean, one.variance, one.populationVariance]).toEqual([5, NaN, 0]);
  });

  it("gives the sample variance with n - 1 and the standard error of the mean", () => {
    const moments = momentsOf([2, 4, 4, 4, 5, 5, 7, 9]);
    expect(moments.mean).toBe(5);
    expect(moments.populationVariance).toBe(4);
    expect(moments.variance).toBeCloseTo(32 / 7, 14);
    expect(moments.standardError()).toBeCloseTo(Math.sqrt(32 / 7 / 8), 14);
  });

  it("keeps a variance of 1 beside a mean of 1e12", () => {
    expect(momentsOf([1e12 - 1, 1e12, 1e12 + 1]).variance).toBe(1);
  });

  it("corrects the standard error for a finite population, down to 0 when all was seen", () => {
    const moments = momentsOf([1, 2, 3, 4]);
    const plain = moments.standardError();
    expect(moments.standardError(16)).toBeCloseTo(plain * Math.sqrt(0.75), 14);
    expect(moments.standardError(4)).toBe(0);
    expect(momentsOf([7]).standardError(1)).toBe(0);
    expect(() => moments.standardError(3)).toThrow(BpfError);
    expect(finitePopulationCorrection(0, 0)).toBe(0);
  });

  it("takes the variance over all samples of a population on average (n - 1 and correction)", () => {
    const population = [3, 1, 4, 1, 5, 9, 2];
    const means: number[] = [];
    let estimated = 0;
    for (let bits = 0; bits < 2 ** 7; bits += 1) {
      const sample = population.filter((_, i) => (bits >> i) & 1);
      if (sample.length !== 3) continue;
      const moments = momentsOf(sample);
      means.push(moments.mean);
      estimated += moments.standardError(7) ** 2;
    }
    expect(means.length).toBe(35);
    expect(estimated / 35).toBeCloseTo(momentsOf(means).populationVariance, 13);
  });

  it("weighs values: equal weights change nothing, whole weights repeat for the mean", () => {
    const values = [1, 5, 2, 8];
    const doubled = momentsOf(values, [2, 2, 2, 2]);
    expect(doubled.mean).toBe(4);
    expect(doubled.variance).toBeCloseTo(momentsOf(values).variance, 13);
    expect(doubled.effectiveCount).toBeCloseTo(4, 13);
    const weighted = momentsOf([1, 4], [3, 1]);
    const repeated = momentsOf([1, 1, 1, 4]);
    expect(weighted.mean).toBe(repeated.mean);
    expect(weighted.populationVariance).toBeCloseTo(repeated.populationVariance, 14);
    expect(weighted.effectiveCount).toBeCloseTo(1.6, 14);
    expect(weighted.designEffect).toBeCloseTo(1.25, 14);
  });

  it("refuses values and weights that are no numbers, and keeps what it had", () => {
    const moments = momentsOf([1, 2, 3]);
    const refused = [
      [NaN, 1],
      [Infinity, 1],
      [1, 0],
      [1, -1],
      [1, NaN],
      [1, Infinity],
    ] as const;
    for (const [value, weight] of refused) {
      expect(() => moments.add(value, weight)).toThrow(BpfError);
    }
    expect([moments.count, moments.mean, moments.variance]).toEqual([3, 2, 1]);
  });
});
