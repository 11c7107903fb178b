import fc from "fast-check";
import { expect, it } from "vitest";
import { drawKeeps, drawThreshold } from "#core/sampling/draw.ts";
import { isKept, rateFromThreshold, THRESHOLD_LIMIT } from "#core/sampling/threshold.ts";

const word = fc.integer({ min: 0, max: 0xffffffff });

it("draws decide as R of 56 bits does, at and around T too", () => {
  const randomness = (first: number, second: number): bigint =>
    (BigInt(first) << 24n) | BigInt(second >>> 8);
  const near = fc.tuple(word, word, fc.bigInt({ min: -2n, max: 2n }));
  fc.assert(
    fc.property(near, ([first, second, beside]) => {
      const r = randomness(first, second);
      const t =
        r + beside < 0n ? 0n : r + beside >= THRESHOLD_LIMIT ? THRESHOLD_LIMIT - 1n : r + beside;
      const draws = [first, second];
      const threshold = drawThreshold(t);
      expect(threshold.pi).toBe(rateFromThreshold(t));
      expect(drawKeeps(() => draws.shift()!, threshold)).toBe(isKept(r, t));
    }),
  );
});

it("a second draw is made only where the first equals T", () => {
  const threshold = drawThreshold((7n << 24n) | 5n);
  for (const [first, asked] of [
    [6, 1],
    [7, 2],
    [8, 1],
  ]) {
    let draws = 0;
    drawKeeps(() => (draws++ === 0 ? first! : 0), threshold);
    expect(draws).toBe(asked);
  }
});
