/** The Agresti-Coull interval: Wald's around a proportion pulled towards 1/2. */

import { requireProportion } from "../check_argument.ts";
import { normalUpperQuantile } from "../distributions/normal.ts";
import { type Interval, tailProbability } from "./interval.ts";

/** Wald's interval on n + z² trials with x + z²/2 successes, cut to [0, 1]; never narrow, simple. */
export function agrestiCoullInterval(
  successes: number,
  trials: number,
  confidence: number,
): Interval {
  requireProportion("Agresti-Coull interval", successes, trials);
  const z = normalUpperQuantile(tailProbability("Agresti-Coull interval", confidence));
  const trials_adjusted = trials + z * z;
  const centre = (successes + (z * z) / 2) / trials_adjusted;
  const half = z * Math.sqrt((centre * (1 - centre)) / trials_adjusted);
  return {
    estimate: successes / trials,
    lower: Math.max(0, centre - half),
    upper: Math.min(1, centre + half),
  };
}
