/** Ratios of two totals: bytes per call, errors per connection. */
import type { PairTotals } from "./designs/pair_totals.ts";
import type { Estimate, EstimateOptions } from "./estimate.ts";
import { linearEstimate } from "./interval_rule.ts";

/** Coefficient of variation of the divisor beyond which the ratio's own bias shows (Cochran 1977, 6.8). */
const DIVISOR_SPREAD_MAX = 0.2;

/**
 * Σ y / Σ x, both estimated, with the variance of its linearization (y - R x) / X; 0 where x is 0. Its bias is at
 * most the divisor's coefficient of variation in standard errors.
 */
export function estimateRatio(
  sample: { totals(): PairTotals },
  options: EstimateOptions = {},
): Estimate {
  return ratioOfTotals(sample.totals(), options);
}

/** The same of totals at hand, of a domain or a share. */
export function ratioOfTotals(totals: PairTotals, options: EstimateOptions): Estimate {
  const { y, x, xx } = totals;
  if (x === 0) return linearEstimate(0, totals, [0, 0], options);
  const uncertain = Math.sqrt(xx) > DIVISOR_SPREAD_MAX * Math.abs(x);
  const more = uncertain ? (["uncertain_size"] as const) : [];
  return linearEstimate(y / x, totals, [1 / x, -y / x / x], options, more);
}
