import { describe, expect, test } from "vitest";
import { ConfigError } from "#core/config/config_error.ts";
import {
  epochOfWord,
  isKept,
  KEEP_ALL,
  KEEP_LEAST,
  packWord,
  rateFromHalves,
  rateFromThreshold,
  THRESHOLD_LIMIT,
  thresholdFromRate,
  thresholdOfWord,
  weightFromHalves,
  weightFromThreshold,
} from "#core/sampling/threshold.ts";

const RATES = [1, 0.5, 0.1, 0.999999, 1 - 2 ** -53, 1e-3, 1e-4, 1e-9, 2 ** -56];

describe("rate to threshold", () => {
  test("1 keeps all and 0 the least", () => {
    expect(thresholdFromRate(1)).toBe(KEEP_ALL);
    expect(thresholdFromRate(0)).toBe(KEEP_LEAST);
    expect(rateFromThreshold(KEEP_LEAST)).toBe(2 ** -56);
  });
  test.each(RATES)("%f comes back to the nearest 2^-56", (rate) => {
    expect(Math.abs(rateFromThreshold(thresholdFromRate(rate)) - rate)).toBeLessThanOrEqual(
      2 ** -57,
    );
  });
  test("rates of an eighth and more come back exactly", () => {
    for (const rate of [0.125, 0.1999, 0.3, 1 / 3, 0.7, 0.97, 0.999999]) {
      expect(rateFromThreshold(thresholdFromRate(rate))).toBe(rate);
    }
  });
  test.each([-0.001, 1.0000001, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "%f is refused",
    (rate) => {
      expect(() => thresholdFromRate(rate, ["base_rate"])).toThrow(ConfigError);
    },
  );
});

test("weights are the inverse of probabilities", () => {
  expect(weightFromThreshold(KEEP_ALL)).toBe(1);
  expect(weightFromThreshold(thresholdFromRate(0.25))).toBe(4);
  expect(weightFromThreshold(KEEP_LEAST)).toBe(2 ** 56);
});

test("halves of a word say the same as the whole, whatever the epoch", () => {
  for (const rate of RATES) {
    const word = packWord(0xff, thresholdFromRate(rate));
    const low = Number(word & 0xffffffffn);
    const high = Number(word >> 32n);
    expect(rateFromHalves(low, high)).toBe(rateFromThreshold(thresholdOfWord(word)));
    expect(weightFromHalves(low, high)).toBe(weightFromThreshold(thresholdOfWord(word)));
    expect(epochOfWord(word)).toBe(0xff);
  }
});

/**
 * The whole tape of an 8-bit model: each of the 256 values of R once, so the fraction kept must be
 * π exactly. `>` for `>=` (or `<=` for `<` in the rejection) is off by one part in 256.
 */
test("over every value of R exactly 2^56 - T of 2^56 are kept (8-bit scale model)", () => {
  const scale = 1n << 48n;
  for (let t = 0n; t < 256n; t++) {
    let kept = 0;
    let wrong = 0;
    for (let r = 0n; r < 256n; r++) {
      if (isKept(r * scale, t * scale)) kept++;
      if (r > t) wrong++;
    }
    expect(kept / 256).toBe(rateFromThreshold(t * scale));
    expect(wrong).not.toBe(kept);
  }
  expect(isKept(THRESHOLD_LIMIT - 1n, KEEP_LEAST)).toBe(true);
});
