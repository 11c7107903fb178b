/** The error function and its complement. */

import { productError } from "./double_double.ts";

const TWO_OVER_SQRT_PI = 1.1283791670955126;

/** exp(-x²) without the rounding of x², which the exponential would magnify. */
function gaussian(x: number): number {
  return Math.exp(-x * x) * Math.exp(-productError(x, x));
}

/** erf by its series of positive terms, |x| below about 3. */
function erfSeries(x: number): number {
  const twice_square = 2 * x * x;
  let term = x;
  let sum = x;
  for (let n = 3; n < 400; n += 2) {
    term *= twice_square / n;
    const next = sum + term;
    if (next === sum) break;
    sum = next;
  }
  return TWO_OVER_SQRT_PI * gaussian(x) * sum;
}

/** `exp(x²) erfc(x)` for x >= 1, where erfc itself may underflow: a continued fraction (Lentz). */
export function scaledErfc(x: number): number {
  const square = 2 * x * x;
  let term = square + 1;
  let c = Number.POSITIVE_INFINITY;
  let d = 1 / term;
  let fraction = d;
  for (let n = 1; n < 1000; n += 1) {
    const numerator = -(2 * n - 1) * (2 * n);
    term += 4;
    d = 1 / (term + numerator * d);
    c = term + numerator / c;
    const delta = c * d;
    fraction *= delta;
    if (Math.abs(delta - 1) < 2e-16) break;
  }
  return TWO_OVER_SQRT_PI * x * fraction;
}

/** 2/√π times the integral of exp(-t²) from 0 to x. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < 0) return -erf(-x);
  return x < 1.5 ? erfSeries(x) : 1 - erfc(x);
}

/** 1 - erf(x), accurate relative to itself down to 1e-308. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < 1.5) return x < 0 ? 1 + erf(-x) : 1 - erfSeries(x);
  return x > 28 ? 0 : gaussian(x) * scaledErfc(x);
}
