/** Means of y over events, or over those of a domain. */
import type { DesignSample, PairTotals } from "./designs/pair_totals.ts";
import type { Estimate, EstimateOptions } from "./estimate.ts";
import { ratioOfTotals } from "./ratio.ts";

/**
 * Hájek's mean, Σ(y/π) / Σ(1/π): the number of events is estimated by the same sample, which makes it far better
 * than a total divided by the known number where values are alike. Events must have been added with x = 1.
 */
export function estimateMean(
  sample: { totals(): PairTotals },
  options: EstimateOptions = {},
): Estimate {
  return ratioOfTotals(sample.totals(), options);
}

/** The mean over a domain of which `part` holds the sampled events, out of the sample `whole`. */
export function estimateDomainMean<Sample extends DesignSample<Sample>>(
  part: Sample,
  whole: Sample,
  options: EstimateOptions = {},
): Estimate {
  return ratioOfTotals(part.totals(whole), options);
}
