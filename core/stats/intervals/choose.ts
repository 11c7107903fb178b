/** The one rule that picks the interval of a proportion. */

import { clopperPearsonInterval } from "./clopper_pearson.ts";
import { hypergeometricInterval } from "./hypergeometric.ts";
import type { Interval } from "./interval.ts";
import { wilsonInterval } from "./wilson.ts";

/** Fewer events than this on either side, and Wilson's coverage is no longer to be relied on. */
const FEW_EVENTS = 10;

export interface ProportionSample {
  readonly successes: number;
  readonly trials: number;
  /** Inside (0, 1); 0.95 by default. */
  readonly confidence?: number;
  /** Size of the population that was sampled without replacement, where it is known. */
  readonly population?: number;
}

export interface ChosenInterval extends Interval {
  readonly method: "wilson" | "clopper_pearson" | "hypergeometric";
}

/**
 * Hypergeometric where the population is known, else Clopper-Pearson below 10 successes or
 * failures, else Wilson. Throws BpfError EINVAL for numbers that are no sample.
 */
export function chooseProportionInterval(sample: ProportionSample): ChosenInterval {
  const { successes, trials, population, confidence = 0.95 } = sample;
  if (population !== undefined) {
    const exact = hypergeometricInterval(successes, trials, population, confidence);
    return { ...exact, method: "hypergeometric" };
  }
  if (Math.min(successes, trials - successes) < FEW_EVENTS) {
    const exact = clopperPearsonInterval(successes, trials, confidence);
    return { ...exact, method: "clopper_pearson" };
  }
  return { ...wilsonInterval(successes, trials, confidence), method: "wilson" };
}
