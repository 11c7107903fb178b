/** The confidence sequence of a count over every path that keeping and leaving out can take. */
import { describe, expect, it } from "vitest";
import { estimateCount } from "#core/sampling/estimators/count.ts";
import { PoissonSample } from "#core/sampling/estimators/designs/poisson_sample.ts";
import { anytimeCountInterval } from "#core/stats/intervals/anytime_count.ts";
import { thrown } from "../../../support/thrown.ts";

interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

/** P(at none of 1, 2, …, `events` events is their number outside), step by step over the numbers kept. */
function coverageOfEveryLook(boundsOf: (kept: number) => Bounds, rate: number, events: number) {
  const bounds = Array.from({ length: events + 1 }, (_, kept) => boundsOf(kept));
  let inside = new Float64Array(events + 2);
  inside[0] = 1;
  for (let n = 1; n <= events; n++) {
    const next = new Float64Array(events + 2);
    for (let kept = 0; kept <= n; kept++) {
      const { lower, upper } = bounds[kept]!;
      if (n < lower || n > upper) continue;
      next[kept] = (1 - rate) * inside[kept]! + (kept === 0 ? 0 : rate * inside[kept - 1]!);
    }
    inside = next;
  }
  return inside.reduce((sum, each) => sum + each);
}

describe("the anytime interval of a count", () => {
  const LOOKS = 300;

  it.each([0.05, 0.3, 0.8])("holds at every look at once, kept with probability %f", (rate) => {
    const anytime = (kept: number) => anytimeCountInterval(kept, rate, 0.95);
    expect(coverageOfEveryLook(anytime, rate, LOOKS)).toBeGreaterThanOrEqual(0.95);
  });

  it("mutant: bounds for one look fail at some look", () => {
    const once = (kept: number) => {
      const sample = new PoissonSample();
      for (let i = 0; i < kept; i++) sample.add(1, 0.3);
      return estimateCount(sample, { rate: 0.3 });
    };
    expect(coverageOfEveryLook(once, 0.3, LOOKS)).toBeLessThan(0.85);
  });

  it.each([40, 47, 48, 53, 56])("ends for every rate that a threshold can say: 2^-%i", (bits) => {
    for (const kept of [0, 1, 5]) {
      const { lower, upper } = anytimeCountInterval(kept, 2 ** -bits, 0.95);
      expect(lower).toBeLessThanOrEqual(kept * 2 ** bits);
      expect(upper).toBeGreaterThan(kept * 2 ** bits);
    }
  });

  it("has both ends where the set ends", () => {
    const { lower, upper, estimate } = anytimeCountInterval(40, 0.1, 0.95);
    expect(estimate).toBe(400);
    expect(lower).toBeLessThan(320);
    expect(upper).toBeGreaterThan(500);
    expect(upper).toBeLessThan(700);
    expect(anytimeCountInterval(7, 1, 0.95)).toEqual({ estimate: 7, lower: 7, upper: 7 });
    expect(anytimeCountInterval(0, 0.5, 0.95).lower).toBe(0);
    expect(thrown(() => anytimeCountInterval(1, 0, 0.95)).message).toContain("the rate is 0");
  });
});
