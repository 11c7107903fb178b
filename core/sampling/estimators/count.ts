/**
 * Numbers of events. Few kept ones are far from normal, and exactly known in distribution: their interval is the gamma
 * interval of weighted counts (Fay and Feuer 1997), which for equal small probabilities is Garwood's of a Poisson
 * count.
 */
import { requireConfidence } from "../../stats/check_argument.ts";
import { chiSquareQuantile, chiSquareUpperQuantile } from "../../stats/distributions/chi_square.ts";
import { effectiveSize, type PairTotals } from "./designs/pair_totals.ts";
import { distrustOfDistribution, warningText } from "./distrust.ts";
import { CONFIDENCE_DEFAULT, type Estimate, type EstimateOptions } from "./estimate.ts";
import { exactEstimate } from "./exact_estimate.ts";
import type { Bounds } from "./interval_rule.ts";

/** Events behind `sample`, each added with y = 1. */
export function estimateCount(
  sample: { totals(): PairTotals },
  options: EstimateOptions = {},
): Estimate {
  return countOfTotals(sample.totals(), options);
}

export function countOfTotals(totals: PairTotals, options: EstimateOptions): Estimate {
  const confidence = options.confidence ?? CONFIDENCE_DEFAULT;
  requireConfidence("estimate a count", confidence);
  const { known } = totals;
  if (known !== undefined && known.least === known.most) {
    return exactEstimate(known.most, totals.sampled, effectiveSize(totals));
  }
  const variance = totals.census ? 0 : Math.max(0, totals.yy);
  const reasons = distrustOfDistribution(totals, options);
  return {
    value: totals.y,
    variance,
    standardError: Math.sqrt(variance),
    ...bounds(totals, confidence, options.rate),
    sampled: totals.sampled,
    effectiveSize: effectiveSize(totals),
    reasons,
    warning: warningText(reasons),
  };
}

function bounds(totals: PairTotals, confidence: number, rate = 1): Bounds {
  const { y, yy, sampled, largest, census, known } = totals;
  if (census && rate === 1) return { lower: y, upper: y, method: "exact" };
  const tail = (1 - confidence) / 2;
  const weight = Math.max(largest, 1 / rate);
  if (known === undefined) {
    const { lower, upper } = gammaBounds(y, yy, weight, tail);
    // There are at least those that were kept.
    return { lower: Math.max(sampled, lower), upper, method: "gamma" };
  }
  const { population, least, most } = known;
  const draw = Math.max(weight, known.weight);
  // Of most events of a known number, the others are the few.
  const others = gammaBounds(Math.max(0, population - y), yy, draw, tail);
  const these = gammaBounds(y, yy, draw, tail);
  const areMost = 2 * y > population;
  return {
    lower: Math.max(least, areMost ? population - others.upper : these.lower),
    upper: Math.min(most, areMost ? population - others.lower : these.upper),
    method: "gamma",
  };
}

/**
 * A gamma distribution of that mean and variance; upwards, as if one more had been kept of the largest weight that there
 * may be.
 */
function gammaBounds(mean: number, variance: number, weight: number, tail: number) {
  const more = mean + weight;
  const degrees = (2 * more * more) / (variance + weight * (weight - 1));
  return {
    lower: gammaQuantile(mean, variance, tail),
    upper: (more * chiSquareUpperQuantile(tail, degrees)) / degrees,
  };
}

function gammaQuantile(mean: number, variance: number, p: number): number {
  if (variance === 0) return mean;
  const degrees = (2 * mean * mean) / variance;
  return (mean * chiSquareQuantile(p, degrees)) / degrees;
}
