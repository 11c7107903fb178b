/** Merged moments against one stream and against two exact passes. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Moments } from "#core/stats/moments.ts";
import { checkProperty } from "../property.ts";

type Weighted = readonly [value: number, weight: number];

/** Whole numbers around a large offset: two-pass sums of them are exact, Welford's are not. */
const data = fc.tuple(
  fc.array(fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 1, max: 50 })), {
    minLength: 2,
    maxLength: 200,
  }),
  fc.constantFrom(0, 1e6, -1e9),
);

function momentsOf(values: readonly Weighted[]): Moments {
  const moments = new Moments();
  for (const [value, weight] of values) moments.add(value, weight);
  return moments;
}

/** Mean and Σw(y - mean)² in whole numbers: W Σwy² - (Σwy)² over W, without the offset. */
function exact(values: readonly Weighted[]): { mean: number; squares: number; weight: number } {
  let weight = 0n;
  let sum = 0n;
  let square = 0n;
  for (const [value, w] of values) {
    weight += BigInt(w);
    sum += BigInt(w) * BigInt(value);
    square += BigInt(w) * BigInt(value) ** 2n;
  }
  const squares = Number(weight * square - sum * sum) / Number(weight);
  return { mean: Number(sum) / Number(weight), squares, weight: Number(weight) };
}

describe("moments", () => {
  it("merged in any split are those of one stream and of exact arithmetic", () => {
    checkProperty(
      "moments merge",
      fc.property(data, fc.nat(), fc.nat(), ([raw, offset], first, second) => {
        const values = raw.map(([value, weight]) => [value + offset, weight] as const);
        const cuts = [first % (values.length + 1), second % (values.length + 1)];
        cuts.sort((a, b) => a - b);
        const merged = new Moments();
        merged.merge(momentsOf(values.slice(0, cuts[0])));
        merged.merge(momentsOf(values.slice(cuts[0], cuts[1])));
        merged.merge(momentsOf(values.slice(cuts[1])));
        for (const moments of [merged, momentsOf(values)]) {
          const expected = exact(values);
          // The mean itself is only known to a rounding of the offset.
          const rounding = (Math.abs(offset) + 1000) * 2 ** -50;
          expect(moments.count).toBe(values.length);
          expect(moments.weight).toBe(expected.weight);
          expect(Math.abs(moments.mean - expected.mean)).toBeLessThanOrEqual(4 * rounding);
          const found = moments.populationVariance * moments.weight;
          const tolerance = 1e-12 * expected.squares + 2000 * rounding * moments.weight;
          expect(Math.abs(found - expected.squares)).toBeLessThanOrEqual(tolerance);
        }
      }),
    );
  });
});
