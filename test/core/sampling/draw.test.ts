import fc from "fast-check";
import { expect, it } from "vitest";
import { Draw, drawThreshold } from "#core/sampling/draw.ts";
import { isKept, rateFromThreshold, THRESHOLD_LIMIT } from "#core/sampling/threshold.ts";

const word = fc.integer({ min: 0, max: 0xffffffff });

it("draws decide as R of 56 bits does, at and around T too, and tell R of what is kept", () => {
  const near = fc.tuple(word, word, fc.bigInt({ min: -2n, max: 2n }));
  fc.assert(
    fc.property(near, ([first, second, beside]) => {
      const drawn = (BigInt(first) << 24n) | (BigInt(second) & 0xffffffn);
      const t = [drawn + beside, THRESHOLD_LIMIT - 1n].reduce((a, b) => (a < b ? a : b));
      if (t < 0n) return;
      const draws = [first, second];
      const threshold = drawThreshold(t);
      // R of a candidate begins with ones.
      const r = drawn | (THRESHOLD_LIMIT - (THRESHOLD_LIMIT >> BigInt(threshold.skipBits)));
      expect(threshold.pi).toBe(rateFromThreshold(t));
      const draw = new Draw({ u32: () => draws.shift()! });
      expect(draw.keeps(threshold)).toBe(isKept(r, t));
      if (isKept(r, t)) expect((BigInt(draw.high) << 24n) | BigInt(draw.low)).toBe(r);
    }),
  );
});

it("a second draw is made where the first does not reject, as in the kernel", () => {
  const threshold = drawThreshold((7n << 24n) | 5n);
  for (const [first, asked] of [
    [6, 1],
    [7, 2],
    [8, 2],
  ]) {
    let draws = 0;
    new Draw({ u32: () => (draws++ === 0 ? first! : 0) }).keeps(threshold);
    expect(draws).toBe(asked);
  }
});
