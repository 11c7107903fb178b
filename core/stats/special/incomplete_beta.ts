/** The regularised incomplete beta function I_x(a, b). */

import { betaDeviance, betaShift } from "./beta_deviance.ts";
import { stirlingError } from "./stirling_error.ts";

const TINY = 1e-300;
const MAX_STEPS = 1_000_000;

/** Both sides of a distribution function; the smaller one is accurate relative to itself. */
export interface TwoTails {
  readonly lower: number;
  readonly upper: number;
}

/** `x^a y^b / B(a, b)`, that is `x y` times the beta density; x + y = 1, both inside (0, 1). */
export function betaPowerTerm(a: number, b: number, x: number, y: number): number {
  const stirling = stirlingError(a + b) - stirlingError(a) - stirlingError(b);
  const scale = Math.sqrt((a / (a + b)) * (b / (2 * Math.PI)));
  return scale * Math.exp(stirling - betaDeviance(a, b, x, y));
}

/**
 * The continued fraction F with I_x(a, b) = x^a y^b / (B(a, b) F), by the modified Lentz method.
 * For x below the mean a / (a + b) it needs about sqrt(max(a, b)) steps.
 */
function betaFraction(a: number, b: number, x: number, y: number): number {
  const shift = betaShift(a, b, x, y);
  let fraction = (a * (1 - shift)) / (a + 1);
  if (fraction === 0) fraction = TINY;
  let c = fraction;
  let d = 0;
  for (let m = 1; m < MAX_STEPS; m += 1) {
    const denominator = a + 2 * m - 1;
    const common = (m * (b - m) * x) / denominator;
    const numerator = ((a + m - 1) / denominator) * (a + b + m - 1) * x * common;
    const term = m + common + ((a + m) * (m + m * y + 1 - shift)) / (denominator + 2);
    d = term + numerator * d;
    if (d === 0) d = TINY;
    c = term + numerator / c;
    if (c === 0) c = TINY;
    d = 1 / d;
    const delta = c * d;
    fraction *= delta;
    if (Math.abs(delta - 1) < 2e-16) break;
  }
  return fraction;
}

/**
 * I_x(a, b) and its complement for a, b > 0, x in [0, 1] and y = 1 - x. Both x and y are asked for,
 * because only the caller may know the small one of them to full accuracy.
 */
export function incompleteBeta(a: number, b: number, x: number, y: number): TwoTails {
  if (x <= 0) return { lower: 0, upper: 1 };
  if (y <= 0) return { lower: 1, upper: 0 };
  if (betaShift(a, b, x, y) <= 0) {
    const lower = Math.min(1, betaPowerTerm(a, b, x, y) / betaFraction(a, b, x, y));
    return { lower, upper: 1 - lower };
  }
  const upper = Math.min(1, betaPowerTerm(b, a, y, x) / betaFraction(b, a, y, x));
  return { lower: 1 - upper, upper };
}
