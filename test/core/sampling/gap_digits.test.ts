/** Gaps that are put together from binary digits have a geometric distribution, by exact products. */
import { expect, it } from "vitest";
import { GAP_DIGITS, gapDigit, SKIP_BITS_MAX, skipBits } from "#core/sampling/gap_digits.ts";
import { rateFromThreshold, THRESHOLD_LIMIT, thresholdFromRate } from "#core/sampling/threshold.ts";

const ROWS = Array.from({ length: SKIP_BITS_MAX }, (_, i) => i + 1);

/** P(gap) as the kernel draws it: digit by digit, each against 32 random bits. */
function drawn(bits: number, gap: number): number {
  let probability = 1;
  for (let place = 0; place < GAP_DIGITS; place++) {
    const one = gapDigit(bits, place) / 2 ** 32;
    probability *= Math.floor(gap / 2 ** place) % 2 === 1 ? one : 1 - one;
  }
  return probability;
}

it.each(ROWS)("a gap to candidates of 2^-%i is geometric", (bits) => {
  const p = 2 ** -bits;
  for (const quantile of [0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999]) {
    const gap = Math.floor(Math.log1p(-quantile) / Math.log1p(-p));
    const expected = (1 - p) ** gap * p;
    expect(Math.abs(drawn(bits, gap) / expected - 1)).toBeLessThan(1e-7);
  }
});

it.each(ROWS)("the rate of candidates of 2^-%i is off by less than 1e-8 of itself", (bits) => {
  // Digits are independent, so the mean is the sum of theirs.
  let mean = 0;
  for (let place = 0; place < GAP_DIGITS; place++) {
    mean += (gapDigit(bits, place) / 2 ** 32) * 2 ** place;
  }
  expect(Math.abs(1 / (1 + mean) / 2 ** -bits - 1)).toBeLessThan(1e-8);
});

it("digits that are left out hardly ever would have been 1", () => {
  for (const bits of ROWS) expect(gapDigit(bits, GAP_DIGITS)).toBe(0);
});

it("candidates are as rare as may be without one that is kept being missed", () => {
  for (let bits = 0; bits <= 20; bits++) {
    const most = THRESHOLD_LIMIT - (1n << BigInt(56 - bits));
    const expected = bits < 4 ? 0 : Math.min(bits, SKIP_BITS_MAX);
    expect(skipBits(most)).toBe(expected);
    expect(rateFromThreshold(most)).toBe(2 ** -bits);
    if (bits > 4 && bits <= SKIP_BITS_MAX) expect(skipBits(most - 1n)).toBe(expected - 1);
  }
  expect(skipBits(thresholdFromRate(0))).toBe(SKIP_BITS_MAX);
});
