/** The total of y over all events, sampled or not. */
import type { PairTotals } from "./designs/pair_totals.ts";
import type { Estimate, EstimateOptions } from "./estimate.ts";
import { linearEstimate } from "./interval_rule.ts";

interface Totals {
  totals(): PairTotals;
}

/** Σ y/π (Horvitz and Thompson), or Σ N ȳ of strata. Throws `BpfError` EINVAL unless 0 < confidence < 1. */
export function estimateTotal(sample: Totals, options: EstimateOptions = {}): Estimate {
  const totals = sample.totals();
  return linearEstimate(totals.y, totals, [1, 0], options);
}
