/** The exponent of the beta and binomial densities, kept away from cancellation. */

import { sumTimesMinus } from "./double_double.ts";
import { log1pExcess } from "./log1p_excess.ts";

/**
 * `(a + b) x - a` for x + y = 1, rounded once. Taken from the smaller of x and y, because the
 * larger one has lost the digits that matter here.
 */
export function betaShift(a: number, b: number, x: number, y: number): number {
  return x <= y ? sumTimesMinus(a, b, x, a) : -sumTimesMinus(a, b, y, b);
}

/**
 * `a log(a / ((a + b) x)) + b log(b / ((a + b) y))` for a, b > 0 and x + y = 1, both inside (0, 1):
 * (a + b) times the relative entropy between a / (a + b) and x. At least 0, with full relative
 * accuracy, so that its exponential is right far out in the tails.
 */
export function betaDeviance(a: number, b: number, x: number, y: number): number {
  const shift = betaShift(a, b, x, y);
  const n = a + b;
  return a * log1pExcess(shift / a, (n * x) / a) + b * log1pExcess(-shift / b, (n * y) / b);
}
