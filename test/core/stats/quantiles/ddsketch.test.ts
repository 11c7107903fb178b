import { describe, expect, it } from "vitest";
import { BpfError } from "#core/errors.ts";
import { DDSketch } from "#core/stats/quantiles/ddsketch.ts";

describe("DDSketch", () => {
  it("is NaN while empty and refuses a q outside [0, 1]", () => {
    const sketch = new DDSketch();
    expect([sketch.quantile(0.5), sketch.rank(1), sketch.minimum]).toEqual([NaN, NaN, NaN]);
    expect(() => sketch.quantile(1.01)).toThrow(BpfError);
    expect(() => sketch.quantile(Number.NaN)).toThrow(BpfError);
  });

  it("finds p50, p99 and p99.99 of a lognormal million within 1 %", () => {
    const sketch = new DDSketch();
    const at = (i: number) => Math.exp(3 * Math.tan(3 * (i / 1e6 - 0.5)) * 0.2 + 10);
    for (let i = 0; i < 1e6; i += 1) sketch.add(at((i * 700_001) % 1e6));
    for (const q of [0.5, 0.99, 0.9999]) {
      const exact = at(Math.ceil(q * 1e6) - 1);
      expect(Math.abs(sketch.quantile(q) / exact - 1)).toBeLessThanOrEqual(0.01);
    }
    expect(sketch.weight).toBe(1e6);
    expect(sketch.collapsedWeight).toBe(0);
  });

  it("takes a weight for that many values", () => {
    const weighted = new DDSketch();
    weighted.add(10, 99);
    weighted.add(1000, 1);
    expect(weighted.quantile(0.99)).toBeCloseTo(10, 0);
    expect(weighted.quantile(0.991)).toBe(weighted.quantile(1));
    expect(weighted.rank(10)).toBe(0.99);
  });

  it("orders negative values, zero and positive ones", () => {
    const sketch = new DDSketch();
    for (const value of [5, -5, 0, -50, 50]) sketch.add(value);
    const found = [0.2, 0.4, 0.6, 0.8, 1].map((q) => sketch.quantile(q));
    for (const [i, exact] of [-50, -5, 0, 5, 50].entries()) {
      expect(Math.abs(found[i]! - exact)).toBeLessThanOrEqual(0.01 * Math.abs(exact));
    }
    expect([-51, -50, -1, 0, 5, 50].map((value) => sketch.rank(value))).toEqual([
      0, 0.2, 0.4, 0.6, 0.8, 1,
    ]);
  });

  it("counts what it refuses and is not changed by it", () => {
    const sketch = new DDSketch();
    const refused = [
      [NaN, 1],
      [Infinity, 1],
      [-Infinity, 1],
      [1, 0],
      [1, -1],
      [1, NaN],
    ] as const;
    for (const [value, weight] of refused) sketch.add(value, weight);
    sketch.add(1, Infinity);
    sketch.add(1, 2 ** -18);
    expect([sketch.rejected, sketch.weight]).toEqual([8, 0]);
  });

  it("collapses the lowest bins only, and says how much weight they hold", () => {
    const sketch = new DDSketch({ bins: 64 });
    for (let value = 1; value <= 1000; value += 1) sketch.add(value);
    expect(sketch.weight).toBe(1000);
    const { collapsedWeight } = sketch;
    expect(collapsedWeight).toBeGreaterThan(200);
    expect(collapsedWeight).toBeLessThan(400);
    expect(Math.abs(sketch.quantile(0.5) - 500)).toBeLessThanOrEqual(5);
    let bins = 0;
    sketch.forEachBin(() => {
      bins += 1;
    });
    expect(bins).toBe(64);
  });

  it("merges only what has the same bins", () => {
    const sketch = new DDSketch({ accuracy: 0.01 });
    expect(() => sketch.merge(new DDSketch({ accuracy: 0.02 }))).toThrow(BpfError);
    expect(() => sketch.merge(new DDSketch({ bins: 64 }))).toThrow(BpfError);
    expect(() => new DDSketch({ accuracy: 0 })).toThrow(BpfError);
  });

  it("is as new after clear", () => {
    const sketch = new DDSketch({ bins: 8 });
    for (let value = 1; value < 1e6; value *= 2) sketch.add(value);
    sketch.clear();
    expect([sketch.weight, sketch.collapsedWeight, sketch.quantile(0.5)]).toEqual([0, 0, NaN]);
    sketch.add(3);
    expect(sketch.quantile(0.5)).toBe(3);
  });
});
