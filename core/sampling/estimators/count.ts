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
  const variance = totals.census ? 0 : Math.max(0, totals.yy);
  const reasons = distrustOfDistribution(totals, options);
  return {
    value: totals.y,
    variance,
    standardError: Math.sqrt(variance),
    ...gammaBounds(totals, confidence, options.rate),
    sampled: totals.sampled,
    effectiveSize: effectiveSize(totals),
    reasons,
    warning: warningText(reasons),
  };
}

/**
 * A gamma distribution of that mean and variance; upwards, as if one more had been kept of the largest weight that there
 * may be.
 */
function gammaBounds(
  { y, yy, sampled, largest, census }: PairTotals,
  confidence: number,
  rate = 1,
): Bounds {
  if (census && rate === 1) return { lower: y, upper: y, method: "exact" };
  const tail = (1 - confidence) / 2;
  const weight = Math.max(largest, 1 / rate);
  const more = y + weight;
  const upper = (2 * more * more) / (yy + weight * (weight - 1));
  return {
    // There are at least those that were kept.
    lower: Math.max(sampled, gammaQuantile(y, yy, tail)),
    upper: (more * chiSquareUpperQuantile(tail, upper)) / upper,
    method: "gamma",
  };
}

function gammaQuantile(mean: number, variance: number, p: number): number {
  if (variance === 0) return mean;
  const degrees = (2 * mean * mean) / variance;
  return (mean * chiSquareQuantile(p, degrees)) / degrees;
}
