/** The exact interval for a proportion of a population of known size. */

import { requireInteger } from "../check_argument.ts";
import { hypergeometricCdf, hypergeometricSurvival } from "../distributions/hypergeometric.ts";
import { type Interval, tailProbability } from "./interval.ts";

/** The smallest whole number in [low, high] for which `holds`, a step from false to true; or high. */
function firstWhere(low: number, high: number, holds: (at: number) => boolean): number {
  let from = low;
  let to = high;
  while (from < to) {
    const middle = from + Math.floor((to - from) / 2);
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}

/**
 * The proportions marked/population that neither one-sided hypergeometric test rejects, given
 * `successes` among `trials` items drawn without replacement. Covers at least `confidence`; a point
 * once everything was drawn. Takes about 2 log2(population) distribution functions.
 */
export function hypergeometricInterval(
  successes: number,
  trials: number,
  population: number,
  confidence: number,
): Interval {
  const operation = "hypergeometric interval";
  const tail = tailProbability(operation, confidence);
  requireInteger(operation, "population", population, 1);
  requireInteger(operation, "trials", trials, 1, population);
  requireInteger(operation, "successes", successes, 0, trials);
  // As many are marked as were seen, at least; and no more than those seen and those not drawn.
  const least = successes;
  const most = population - trials + successes;
  const lowest = firstWhere(
    least,
    most,
    (marked) => hypergeometricSurvival(successes - 1, population, marked, trials) > tail,
  );
  const above = firstWhere(
    lowest,
    most + 1,
    (marked) => marked > most || hypergeometricCdf(successes, population, marked, trials) <= tail,
  );
  return {
    estimate: successes / trials,
    lower: lowest / population,
    upper: (above - 1) / population,
  };
}
