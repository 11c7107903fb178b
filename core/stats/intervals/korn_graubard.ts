/** The Korn-Graubard interval: a proportion estimated with unequal weights. */

import { BpfError, ERRNO } from "#core/errors.ts";
import { requirePositive, requireProbability } from "../check_argument.ts";
import { clopperPearsonInterval } from "./clopper_pearson.ts";
import type { Interval } from "./interval.ts";

/**
 * Clopper-Pearson with the effective sample size n* = p̂ q̂ / V̂, where V̂ is the design-based variance
 * of `estimate`. n* is capped at `sampled`, and is `sampled` where V̂ is 0 (estimate 0 or 1).
 */
export function kornGraubardInterval(
  estimate: number,
  variance: number,
  sampled: number,
  confidence: number,
): Interval {
  requireProbability("Korn-Graubard interval", "estimate", estimate);
  requirePositive("Korn-Graubard interval", "sampled", sampled);
  if (!(variance >= 0 && variance < Number.POSITIVE_INFINITY)) {
    throw new BpfError("Korn-Graubard interval", `variance is ${variance}`, {
      errno: ERRNO.EINVAL,
      hint: "give the finite variance of the estimate, 0 or above",
    });
  }
  const effective = effectiveSampleSize(estimate, variance, sampled);
  const { lower, upper } = clopperPearsonInterval(estimate * effective, effective, confidence);
  return { estimate, lower, upper };
}

function effectiveSampleSize(estimate: number, variance: number, sampled: number): number {
  const spread = estimate * (1 - estimate);
  return spread === 0 || variance === 0 ? sampled : Math.min(sampled, spread / variance);
}
