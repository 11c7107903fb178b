/** The bootstrap-t interval: draws that have the moments of the design, and coverage where values are skewed. */
import { describe, expect, it } from "vitest";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { bootstrapTotal, type KeptEvent } from "#core/sampling/estimators/bootstrap_t.ts";
import { thrown } from "../../../support/thrown.ts";

const random = new Xoshiro128(17);
const uniform = () => random.uniform();

function keptOf(values: Float64Array, pi: number): KeptEvent[] {
  return [...values].flatMap((y) => (uniform() < pi ? [{ y, pi }] : []));
}

describe("the bootstrap-t interval of a total", () => {
  it("is close to Student's where values are alike", () => {
    const kept = Array.from({ length: 400 }, (_, i) => ({ y: 10 + (i % 3), pi: 0.25 }));
    const { value, standardError, lower, upper, method } = bootstrapTotal(kept, {
      random: uniform,
      replicates: 1999,
    });
    expect(method).toBe("bootstrap_t");
    expect((value - lower) / standardError).toBeCloseTo(1.96, 0);
    expect((upper - value) / standardError).toBeCloseTo(1.96, 0);
  });

  it("covers a skewed total more often than a normal interval", () => {
    const values = Float64Array.from({ length: 400 }, () => (-Math.log1p(-uniform())) ** 3);
    const truth = values.reduce((sum, value) => sum + value, 0);
    const rounds = 150;
    let [covered, normal] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      const kept = keptOf(values, 0.1);
      const estimate = bootstrapTotal(kept, { random: uniform, replicates: 199 });
      if (estimate.lower <= truth && truth <= estimate.upper) covered += 1;
      if (Math.abs(estimate.value - truth) <= 1.96 * estimate.standardError) normal += 1;
    }
    expect(covered).toBeGreaterThan(normal + 0.04 * rounds);
  });

  /** One event that stands for two: a replicate keeps none, one or both, with t = -∞, 0 and 1. */
  const afterReplicates = (none: number, both: number, y = 1) => {
    let calls = 0;
    return bootstrapTotal([{ y, pi: 0.5 }], {
      replicates: 999,
      // Of each two calls the first is for the part of a trial that there isn't.
      random: () => {
        const replicate = calls++ >> 1;
        if (replicate < none) return 0.1;
        return replicate < none + both ? 0.9 : 0.5;
      },
    });
  };

  it("ends at the 25th of 999 replicates on either side, which may have kept nothing", () => {
    const { value, standardError } = afterReplicates(0, 0);
    expect(afterReplicates(24, 24)).toMatchObject({ lower: value, upper: value });
    expect(afterReplicates(24, 25)).toMatchObject({ lower: value - standardError, upper: value });
    expect(afterReplicates(25, 24)).toMatchObject({
      lower: value,
      upper: Number.POSITIVE_INFINITY,
    });
    expect(afterReplicates(25, 24, -1).lower).toBe(Number.NEGATIVE_INFINITY);
  });

  it("is a point where everything was kept, and refuses no replicates", () => {
    const all = [1, 2, 3].map((y) => ({ y, pi: 1 }));
    expect(bootstrapTotal(all, { random: uniform })).toMatchObject({ lower: 6, upper: 6 });
    const none = () => bootstrapTotal(all, { random: uniform, replicates: 0 });
    expect(thrown(none).message).toContain("replicates is 0");
  });
});
