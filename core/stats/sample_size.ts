/** How many events must be sampled for a wanted margin of error. */

import { BpfError, ERRNO } from "#core/errors.ts";
import { requireConfidence, requirePositive, requireProbability } from "./check_argument.ts";
import { normalUpperQuantile } from "./distributions/normal.ts";

export interface SampleSizeOptions {
  /** Half width wanted: of the proportion itself, or relative to it where `relative` is set. */
  readonly margin: number;
  /** Take `margin` as a fraction of the proportion; then `proportion` is needed. */
  readonly relative?: boolean;
  /** Inside (0, 1); 0.95 by default. */
  readonly confidence?: number;
  /** Expected proportion; 0.5, the worst case, by default. */
  readonly proportion?: number;
  /** Size of the population, for the finite population correction; infinite by default. */
  readonly population?: number;
  /** How much larger the variance is than under simple random sampling; 1 by default. */
  readonly design_effect?: number;
}

/**
 * Cochran's sample size: n₀ = z² p q / margin², n = n₀ / (1 + (n₀ - 1) / N), times the design
 * effect, rounded up, between 1 and N. Throws BpfError EINVAL for nonsense.
 */
export function cochranSampleSize(options: SampleSizeOptions): number {
  const operation = "sample size";
  const { margin, confidence = 0.95, proportion = 0.5, design_effect = 1 } = options;
  const population = Math.floor(options.population ?? Number.POSITIVE_INFINITY);
  requirePositive(operation, "margin", margin);
  requireConfidence(operation, confidence);
  requireProbability(operation, "proportion", proportion);
  requirePositive(operation, "design_effect", design_effect);
  if (!(population >= 1)) {
    throw new BpfError(operation, `population is ${population}`, {
      errno: ERRNO.EINVAL,
      hint: "give a population of 1 or more, or none",
    });
  }
  if (options.relative === true) requirePositive(operation, "proportion", proportion);
  const z = normalUpperQuantile((1 - confidence) / 2);
  const half_width = options.relative === true ? margin * proportion : margin;
  const unlimited = (z / half_width) ** 2 * proportion * (1 - proportion);
  if (unlimited === Number.POSITIVE_INFINITY) return population;
  const corrected = unlimited / (1 + (unlimited - 1) / population);
  return Math.min(population, Math.max(1, Math.ceil(corrected * design_effect)));
}
