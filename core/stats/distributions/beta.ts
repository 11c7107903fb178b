/** The beta distribution. */

import { requirePositive, requireProbability } from "../check_argument.ts";
import { betaPowerTerm, incompleteBeta } from "../special/incomplete_beta.ts";
import { incompleteBetaInverse } from "../special/incomplete_beta_inverse.ts";

function checkShape(operation: string, a: number, b: number): void {
  requirePositive(operation, "a", a);
  requirePositive(operation, "b", b);
}

/** Density at x inside (0, 1). */
export function betaDensity(x: number, a: number, b: number): number {
  checkShape("betaDensity", a, b);
  if (!(x > 0 && x < 1)) return 0;
  return betaPowerTerm(a, b, x, 1 - x) / x / (1 - x);
}

/** P(X <= x). */
export function betaCdf(x: number, a: number, b: number): number {
  checkShape("betaCdf", a, b);
  return incompleteBeta(a, b, x, 1 - x).lower;
}

/** P(X > x). */
export function betaSurvival(x: number, a: number, b: number): number {
  checkShape("betaSurvival", a, b);
  return incompleteBeta(a, b, x, 1 - x).upper;
}

/** The x with P(X <= x) = p. */
export function betaQuantile(p: number, a: number, b: number): number {
  checkShape("betaQuantile", a, b);
  requireProbability("betaQuantile", "p", p);
  return incompleteBetaInverse(a, b, p, 1 - p);
}

/** The x with P(X > x) = p: the quantile at 1 - p without rounding 1 - p. */
export function betaUpperQuantile(p: number, a: number, b: number): number {
  checkShape("betaUpperQuantile", a, b);
  requireProbability("betaUpperQuantile", "p", p);
  return incompleteBetaInverse(a, b, 1 - p, p);
}
