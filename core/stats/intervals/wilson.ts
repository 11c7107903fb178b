/** Wilson's score interval: the default for a proportion. */

import { requireProportion } from "../check_argument.ts";
import { normalUpperQuantile } from "../distributions/normal.ts";
import { type Interval, tailProbability } from "./interval.ts";

/**
 * The proportions that a score test would not reject. Coverage is close to `confidence` on
 * average; it can fall to about 0.85 (at 0.95) for proportions within a few events of 0 or 1.
 * `successes` and `trials` need not be whole (effective sample sizes).
 */
export function wilsonInterval(successes: number, trials: number, confidence: number): Interval {
  requireProportion("Wilson interval", successes, trials);
  const z = normalUpperQuantile(tailProbability("Wilson interval", confidence));
  const estimate = successes / trials;
  const failures = trials - successes;
  const spread = z * z;
  const centre = successes + spread / 2;
  const top = centre + z * Math.sqrt((successes * failures) / trials + spread / 4);
  return {
    estimate,
    // The lower root as product over upper root: the difference would cancel next to 0.
    lower: (successes * estimate) / top,
    upper: failures === 0 ? 1 : top / (trials + spread),
  };
}
