/** The sketch against all values sorted; merging against one stream. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DDSketch, WEIGHT_QUANTUM } from "#core/stats/quantiles/ddsketch.ts";
import { checkProperty } from "../property.ts";

type Weighted = readonly [value: number, weight: number];

/** Wide and narrow data, both signs, zero, ties; weights like those of sampling (1/π) and others. */
const weighted: fc.Arbitrary<Weighted> = fc.tuple(
  fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.double({ min: 1, max: 1e9, noNaN: true }),
    fc.integer({ min: -5, max: 5 }),
  ),
  fc.oneof(fc.constant(1), fc.double({ min: 1e-4, max: 1e4, noNaN: true })),
);
const data = fc.array(weighted, { minLength: 1, maxLength: 400 });

function roundedWeight(weight: number): number {
  return Math.round(weight / WEIGHT_QUANTUM) * WEIGHT_QUANTUM;
}

function sketchOf(values: readonly Weighted[], accuracy: number, bins?: number): DDSketch {
  const sketch = new DDSketch(bins === undefined ? { accuracy } : { accuracy, bins });
  for (const [value, weight] of values) sketch.add(value, weight);
  return sketch;
}

/** The smallest value that the fraction q of the weight does not exceed. */
function exactQuantile(values: readonly Weighted[], q: number): number {
  const sorted = [...values].sort(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, weight]) => sum + roundedWeight(weight), 0);
  let seen = 0;
  for (const [value, weight] of sorted) {
    seen += roundedWeight(weight);
    if (seen >= q * total) return value;
  }
  return Number.NaN;
}

function contentOf(sketch: DDSketch): unknown {
  const bins: [number, number][] = [];
  sketch.forEachBin((value, weight) => bins.push([value, weight]));
  const { weight, minimum, maximum, rejected, collapsedWeight } = sketch;
  return { bins, weight, minimum: minimum + 0, maximum: maximum + 0, rejected, collapsedWeight };
}

describe("quantile sketch", () => {
  it("is within its accuracy of every quantile of any weighted data", () => {
    checkProperty(
      "quantile sketch accuracy",
      fc.property(
        data,
        fc.constantFrom(
          [0.005, 2 ** 18] as const,
          [0.01, 2 ** 17] as const,
          [0.2, 2 ** 12] as const,
        ),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, [accuracy, bins], q) => {
          const sketch = sketchOf(values, accuracy, bins);
          const exact = exactQuantile(values, q);
          const error = Math.abs(sketch.quantile(q) - exact);
          // Magnitudes below 2^-1020 are zero by contract; a logarithm rounds at a bin's edge.
          const allowed = accuracy * (1 + 1e-9) * Math.abs(exact) + 2 ** -1020;
          expect(error).toBeLessThanOrEqual(allowed);
          expect(sketch.collapsedWeight).toBe(0);
        },
      ),
    );
  });

  it("merged is bit for bit what one stream gives, in any order and split, collapsed or not", () => {
    checkProperty(
      "quantile sketch merge",
      fc.property(
        data,
        fc.infiniteStream(fc.nat(2)),
        fc.constantFrom(1, 8, 64, 2048),
        (values, parts, bins) => {
          const pieces: Weighted[][] = [[], [], []];
          for (const value of values) pieces[parts.next().value as number]!.push(value);
          const merged = new DDSketch({ accuracy: 0.05, bins });
          for (const piece of pieces) merged.merge(sketchOf(piece.reverse(), 0.05, bins));
          expect(contentOf(merged)).toEqual(contentOf(sketchOf(values, 0.05, bins)));
        },
      ),
    );
  });

  it("collapsed keeps the weight, the extremes and the accuracy of its high end", () => {
    checkProperty(
      "quantile sketch collapse",
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 1e-3, max: 1e12, noNaN: true }), fc.nat(99)), {
          minLength: 1,
        }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (raw, q) => {
          const values = raw.map(([value, weight]) => [value, weight + 1] as const);
          const sketch = sketchOf(values, 0.01, 256);
          const total = values.reduce((sum, [, weight]) => sum + weight, 0);
          expect(sketch.weight).toBe(total);
          expect(sketch.quantile(0)).toBe(Math.min(...values.map(([value]) => value)));
          expect(sketch.quantile(1)).toBeLessThanOrEqual(sketch.maximum);
          if (q * total <= sketch.collapsedWeight) return;
          const exact = exactQuantile(values, q);
          expect(Math.abs(sketch.quantile(q) - exact)).toBeLessThanOrEqual(0.01000001 * exact);
        },
      ),
    );
  });

  it("ranks a value between the exact shares of values α below and α above it", () => {
    checkProperty(
      "quantile sketch rank",
      fc.property(data, fc.double({ noNaN: true, noDefaultInfinity: true }), (values, at) => {
        const sketch = sketchOf(values, 0.01, 2 ** 17);
        const share = (limit: number) => {
          let sum = 0;
          for (const [value, weight] of values) if (value <= limit) sum += roundedWeight(weight);
          return sum / sketch.weight;
        };
        const slack = Math.abs(at) * 0.0203 + 2 ** -1019;
        expect(sketch.rank(at)).toBeGreaterThanOrEqual(share(at - slack));
        expect(sketch.rank(at)).toBeLessThanOrEqual(share(at + slack));
      }),
    );
  });
});
