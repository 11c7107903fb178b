import { describe, expect, it } from "vitest";
import { BpfError } from "#core/errors.ts";
import { cochranSampleSize } from "#core/stats/sample_size.ts";

describe("cochranSampleSize", () => {
  it("gives Cochran's published sizes at 5 % margin, infinite and finite", () => {
    expect(cochranSampleSize({ margin: 0.05 })).toBe(385);
    expect(cochranSampleSize({ margin: 0.05, population: 10_000 })).toBe(370);
    expect(cochranSampleSize({ margin: 0.05, population: 1000 })).toBe(278);
    expect(cochranSampleSize({ margin: 0.05, population: 50 })).toBe(45);
    // 27 and 52 without the - 1 in n₀ - 1.
    expect(cochranSampleSize({ margin: 0.05, population: 29 })).toBe(28);
    expect(cochranSampleSize({ margin: 0.05, population: 60 })).toBe(53);
  });

  it("gives 383 762 for 10 % of a proportion of 0.001", () => {
    expect(cochranSampleSize({ margin: 0.1, relative: true, proportion: 0.001 })).toBe(383_762);
  });

  it("never asks for more than the population, whatever the design effect", () => {
    expect(cochranSampleSize({ margin: 0.05, design_effect: 2 })).toBe(769);
    expect(cochranSampleSize({ margin: 0.05, population: 50, design_effect: 2 })).toBe(50);
    expect(cochranSampleSize({ margin: 1e-9, population: 1 })).toBe(1);
    expect(cochranSampleSize({ margin: 1e-200, population: 7 })).toBe(7);
  });

  it("asks for at least one event", () => {
    expect(cochranSampleSize({ margin: 0.9, confidence: 0.01 })).toBe(1);
  });

  it("refuses nonsense", () => {
    for (const wrong of [
      { margin: 0 },
      { margin: Number.NaN },
      { margin: 0.05, confidence: 1 },
      { margin: 0.05, proportion: 1.5 },
      { margin: 0.05, population: 0 },
      { margin: 0.05, design_effect: -1 },
      { margin: 0.05, relative: true, proportion: 0 },
    ]) {
      expect(() => cochranSampleSize(wrong), JSON.stringify(wrong)).toThrow(BpfError);
    }
  });
});
