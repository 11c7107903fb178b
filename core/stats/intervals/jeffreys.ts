/** The Jeffreys interval: Bayesian, with the prior Beta(1/2, 1/2). */

import { requireProportion } from "../check_argument.ts";
import { betaQuantile, betaUpperQuantile } from "../distributions/beta.ts";
import { type Interval, tailProbability } from "./interval.ts";

/** Equal-tailed quantiles of Beta(x + 1/2, n - x + 1/2); 0 and 1 included at x = 0 and x = n. */
export function jeffreysInterval(successes: number, trials: number, confidence: number): Interval {
  requireProportion("Jeffreys interval", successes, trials);
  const tail = tailProbability("Jeffreys interval", confidence);
  const a = successes + 0.5;
  const b = trials - successes + 0.5;
  return {
    estimate: successes / trials,
    lower: successes === 0 ? 0 : betaQuantile(tail, a, b),
    upper: successes === trials ? 1 : betaUpperQuantile(tail, a, b),
  };
}
