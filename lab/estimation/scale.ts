import type { Estimate } from "#core/sampling/estimators/estimate.ts";

/** The estimate of `factor` times what `estimate` is of: of a mean from a total of events that were counted. */
export function scaled(estimate: Estimate, factor: number): Estimate {
  return {
    ...estimate,
    value: estimate.value * factor,
    variance: estimate.variance * factor * factor,
    standardError: estimate.standardError * factor,
    lower: estimate.lower * factor,
    upper: estimate.upper * factor,
  };
}
