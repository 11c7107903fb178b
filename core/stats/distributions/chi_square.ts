/** The chi-square distribution with any positive number of degrees of freedom. */

import { requirePositive, requireProbability } from "../check_argument.ts";
import { gammaPowerTerm, incompleteGamma } from "../special/incomplete_gamma.ts";
import { invertTail, type TailAt } from "../special/invert_tail.ts";

/** P(X <= x). */
export function chiSquareCdf(x: number, degrees: number): number {
  requirePositive("chiSquareCdf", "degrees", degrees);
  return incompleteGamma(degrees / 2, x / 2).lower;
}

/** P(X > x), the p-value of a chi-square statistic. */
export function chiSquareSurvival(x: number, degrees: number): number {
  requirePositive("chiSquareSurvival", "degrees", degrees);
  return incompleteGamma(degrees / 2, x / 2).upper;
}

function quantile(p: number, q: number, degrees: number): number {
  if (p <= 0) return 0;
  if (q <= 0) return Number.POSITIVE_INFINITY;
  const a = degrees / 2;
  const at = (x: number): TailAt => ({ ...incompleteGamma(a, x), slope: gammaPowerTerm(a, x) });
  return 2 * invertTail(p, q, a, at);
}

/** The x with P(X <= x) = p. */
export function chiSquareQuantile(p: number, degrees: number): number {
  requirePositive("chiSquareQuantile", "degrees", degrees);
  requireProbability("chiSquareQuantile", "p", p);
  return quantile(p, 1 - p, degrees);
}

/** The x with P(X > x) = p. */
export function chiSquareUpperQuantile(p: number, degrees: number): number {
  requirePositive("chiSquareUpperQuantile", "degrees", degrees);
  requireProbability("chiSquareUpperQuantile", "p", p);
  return quantile(1 - p, p, degrees);
}
