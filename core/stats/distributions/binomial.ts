/** The binomial distribution: successes in n independent trials. */

import { requireInteger, requireProbability } from "../check_argument.ts";
import { betaDeviance } from "../special/beta_deviance.ts";
import { incompleteBeta, type TwoTails } from "../special/incomplete_beta.ts";
import { stirlingError } from "../special/stirling_error.ts";

function checkShape(operation: string, n: number, p: number): void {
  requireInteger(operation, "n", n, 0);
  requireProbability(operation, "p", p);
}

/** P(X = k) for whole k in [0, n] and p + q = 1; the arguments are the caller's to check. */
export function binomialMass(k: number, n: number, p: number, q: number): number {
  if (p <= 0) return k === 0 ? 1 : 0;
  if (q <= 0) return k === n ? 1 : 0;
  if (n === 0) return 1;
  if (k === 0) return Math.exp(n * (p < 0.5 ? Math.log1p(-p) : Math.log(q)));
  if (k === n) return Math.exp(n * (q < 0.5 ? Math.log1p(-q) : Math.log(p)));
  const rest = n - k;
  // log n! = log Γ(n) + log n, so the Stirling errors of n serve for n! as well.
  const stirling = stirlingError(n) - stirlingError(k) - stirlingError(rest);
  const scale = Math.sqrt(n / (2 * Math.PI * k * rest));
  return scale * Math.exp(stirling - betaDeviance(k, rest, p, q));
}

function tails(k: number, n: number, p: number): TwoTails {
  if (k < 0) return { lower: 0, upper: 1 };
  if (k >= n) return { lower: 1, upper: 0 };
  const { lower, upper } = incompleteBeta(k + 1, n - k, p, 1 - p);
  return { lower: upper, upper: lower };
}

/** P(X = k). */
export function binomialProbability(k: number, n: number, p: number): number {
  checkShape("binomialProbability", n, p);
  if (!Number.isInteger(k) || k < 0 || k > n) return 0;
  return binomialMass(k, n, p, 1 - p);
}

/** P(X <= k). */
export function binomialCdf(k: number, n: number, p: number): number {
  checkShape("binomialCdf", n, p);
  return tails(Math.floor(k), n, p).lower;
}

/** P(X > k). */
export function binomialSurvival(k: number, n: number, p: number): number {
  checkShape("binomialSurvival", n, p);
  return tails(Math.floor(k), n, p).upper;
}
