/** The textbook interval, here to be compared with and not to be used. */

import { requireProportion } from "../check_argument.ts";
import { normalUpperQuantile } from "../distributions/normal.ts";
import { type Interval, tailProbability } from "./interval.ts";

/**
 * p̂ ± z √(p̂ q̂ / n), cut to [0, 1]. DO NOT USE for reporting: at nominal 0.95 it covers a
 * proportion of 0.001 in 63 % of samples of 1000, and no uncertainty at all is left at 0 or n
 * successes. `wilsonInterval` costs the same.
 */
export function waldInterval(successes: number, trials: number, confidence: number): Interval {
  requireProportion("Wald interval", successes, trials);
  const z = normalUpperQuantile(tailProbability("Wald interval", confidence));
  const estimate = successes / trials;
  const half = z * Math.sqrt((estimate * (trials - successes)) / trials / trials);
  return {
    estimate,
    lower: Math.max(0, estimate - half),
    upper: Math.min(1, estimate + half),
  };
}
