/** An interval that may be looked at after every event. */

import { requireConfidence, requireProportion } from "../check_argument.ts";
import { betaDeviance } from "../special/beta_deviance.ts";
import { logBeta } from "../special/log_beta.ts";
import type { Interval } from "./interval.ts";

/**
 * Confidence sequence of a proportion: with probability `confidence`, the true one is inside at
 * *every* sample size at once, so a dashboard may be watched and a decision taken at any time.
 * About twice as wide as `wilsonInterval`, which watched often enough fails for certain.
 *
 * Beta-binomial mixture with a uniform prior: p is kept while the likelihood averaged over all
 * proportions is below 1/α times its likelihood, which by Ville's inequality it rarely ever leaves.
 */
export function anytimeInterval(successes: number, trials: number, confidence: number): Interval {
  requireProportion("anytime interval", successes, trials);
  requireConfidence("anytime interval", confidence);
  const failures = trials - successes;
  const limit =
    -Math.log1p(-confidence) -
    logBeta(successes + 1, failures + 1) +
    logPower(successes, trials) +
    logPower(failures, trials);
  return {
    estimate: successes / trials,
    lower: lowerEnd(successes, failures, limit),
    upper: 1 - lowerEnd(failures, successes, limit),
  };
}

/** x log(x / n), 0 at x = 0. */
function logPower(x: number, n: number): number {
  return x === 0 ? 0 : x * Math.log(x / n);
}

/** The p below a / (a + b) whose deviance is `limit`, by bisection in log p. */
function lowerEnd(a: number, b: number, limit: number): number {
  if (a === 0) return 0;
  if (b === 0) return Math.exp(-limit / a);
  let low = -745;
  let high = Math.log(a / (a + b));
  for (let step = 0; step < 200 && high - low > 1e-16 * Math.abs(low); step += 1) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    const p = Math.exp(middle);
    if (p === 0 || betaDeviance(a, b, p, 1 - p) > limit) low = middle;
    else high = middle;
  }
  return Math.exp(low);
}
