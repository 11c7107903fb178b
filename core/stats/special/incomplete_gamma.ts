/** The regularised incomplete gamma functions P(a, x) and Q(a, x). */

import type { TwoTails } from "./incomplete_beta.ts";
import { log1pExcess } from "./log1p_excess.ts";
import { stirlingError } from "./stirling_error.ts";

const MAX_STEPS = 1_000_000;

/** `x^a e^-x / Γ(a)`, that is x times the gamma density; a, x > 0. */
export function gammaPowerTerm(a: number, x: number): number {
  const deviance = a * log1pExcess((x - a) / a, x / a);
  return Math.sqrt(a / (2 * Math.PI)) * Math.exp(-stirlingError(a) - deviance);
}

/** Sum of x^n / (a (a + 1) … (a + n)): all terms positive, quick for x below a. */
function gammaSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < MAX_STEPS; n += 1) {
    term *= x / (a + n);
    const next = sum + term;
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

/** Continued fraction of Q(a, x) over the power term, by the modified Lentz method; x above a. */
function gammaFraction(a: number, x: number): number {
  let term = x - a + 1;
  let c = Number.POSITIVE_INFINITY;
  let d = 1 / term;
  let fraction = d;
  for (let n = 1; n < MAX_STEPS; n += 1) {
    const numerator = n * (a - n);
    term += 2;
    d = 1 / (term + numerator * d);
    c = term + numerator / c;
    const delta = c * d;
    fraction *= delta;
    if (Math.abs(delta - 1) < 2e-16) break;
  }
  return fraction;
}

/** P(a, x) as `lower` and Q(a, x) as `upper`, for a > 0 and x >= 0. */
export function incompleteGamma(a: number, x: number): TwoTails {
  if (x <= 0) return { lower: 0, upper: 1 };
  if (x === Number.POSITIVE_INFINITY) return { lower: 1, upper: 0 };
  if (x < a + 1) {
    const lower = Math.min(1, gammaPowerTerm(a, x) * gammaSeries(a, x));
    return { lower, upper: 1 - lower };
  }
  const upper = Math.min(1, gammaPowerTerm(a, x) * gammaFraction(a, x));
  return { lower: 1 - upper, upper };
}
