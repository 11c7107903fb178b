/** The Clopper-Pearson interval: never covers less than it says. */

import { requireProportion } from "../check_argument.ts";
import { betaQuantile, betaUpperQuantile } from "../distributions/beta.ts";
import { type Interval, tailProbability } from "./interval.ts";

/**
 * The proportions that neither one-sided binomial test rejects: coverage is at least `confidence`
 * for every proportion, usually more. `successes` and `trials` need not be whole (effective sample
 * sizes).
 */
export function clopperPearsonInterval(
  successes: number,
  trials: number,
  confidence: number,
): Interval {
  requireProportion("Clopper-Pearson interval", successes, trials);
  const tail = tailProbability("Clopper-Pearson interval", confidence);
  const failures = trials - successes;
  return {
    estimate: successes / trials,
    lower: successes === 0 ? 0 : betaQuantile(tail, successes, failures + 1),
    upper: failures === 0 ? 1 : betaUpperQuantile(tail, successes + 1, failures),
  };
}
