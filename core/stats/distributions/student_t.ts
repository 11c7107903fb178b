/** Student's t distribution with any positive number of degrees of freedom. */

import { requirePositive, requireProbability } from "../check_argument.ts";
import { betaPowerTerm, incompleteBeta } from "../special/incomplete_beta.ts";
import { invertTail, type TailAt } from "../special/invert_tail.ts";
import { logBeta } from "../special/log_beta.ts";
import { normalQuantile } from "./normal.ts";

/** The same where degrees / t² is too small for a double: the tail is its leading power. */
function farAt(t: number, degrees: number): TailAt {
  const scale = Math.exp(-logBeta(degrees / 2, 0.5)) / (degrees / 2);
  const upper = scale * (Math.sqrt(degrees) / t) ** degrees;
  return { lower: 1 - upper, upper, slope: degrees * upper };
}

/** Distribution of |T| at t > 0. */
function absoluteAt(t: number, degrees: number): TailAt {
  // Both fractions from the ratio below 1: neither overflows, neither is a rounded difference.
  const near = t * (t / degrees);
  if (near > 1e290) return farAt(t, degrees);
  const far = degrees / t / t;
  const x = near > 1 ? far / (1 + far) : 1 / (1 + near);
  const y = near > 1 ? 1 / (1 + far) : near / (1 + near);
  if (x <= 0) return { lower: 1, upper: 0, slope: 0 };
  if (y <= 0) return { lower: 0, upper: 1, slope: 0 };
  const { lower, upper } = incompleteBeta(degrees / 2, 0.5, x, y);
  return { lower: upper, upper: lower, slope: 2 * betaPowerTerm(degrees / 2, 0.5, x, y) };
}

/** P(T <= t), accurate relative to itself in the lower tail. */
export function studentTCdf(t: number, degrees: number): number {
  requirePositive("studentTCdf", "degrees", degrees);
  if (t === 0) return 0.5;
  const { lower, upper } = absoluteAt(Math.abs(t), degrees);
  if (t < 0) return upper / 2;
  return upper < 0.5 ? 1 - upper / 2 : 0.5 + lower / 2;
}

/** P(T > t), accurate relative to itself in the upper tail. */
export function studentTSurvival(t: number, degrees: number): number {
  return studentTCdf(-t, degrees);
}

/** The t with P(T > t) = p, p in [0, 1]. */
export function studentTUpperQuantile(p: number, degrees: number): number {
  return -studentTQuantile(p, degrees);
}

/** The t with P(T <= t) = p, p in [0, 1]; infinite at both ends. */
export function studentTQuantile(p: number, degrees: number): number {
  requireProbability("studentTQuantile", "p", p);
  requirePositive("studentTQuantile", "degrees", degrees);
  if (p === 0.5) return 0;
  const tail = Math.min(p, 1 - p);
  const sign = p < 0.5 ? -1 : 1;
  if (tail === 0) return sign * Number.POSITIVE_INFINITY;
  const start = Math.abs(normalQuantile(tail));
  return sign * invertTail(1 - 2 * tail, 2 * tail, start, (t) => absoluteAt(t, degrees));
}
