/**
 * The interval of totals, means and ratios: Student's, and where the estimator is skewed, Hall's transformation of
 * it (Hall 1992, "On the removal of skewness by transformation"), which is to second order as accurate as the bootstrap-t
 * (`bootstrap_t.ts`) and needs sums only. t has the degrees of freedom that the variance is known with (Satterthwaite 1946):
 * docs/decisions/017. Counts and proportions have exact distributions to go by: `count.ts`, `proportion.ts`.
 */
import { requireConfidence } from "../../stats/check_argument.ts";
import { studentTUpperQuantile } from "../../stats/distributions/student_t.ts";
import { effectiveSize, linear, type PairTotals } from "./designs/pair_totals.ts";
import { distrustOfSample, distrustOfSpread, warningText } from "./distrust.ts";
import {
  CONFIDENCE_DEFAULT,
  type Distrust,
  type Estimate,
  type EstimateOptions,
  type IntervalMethod,
} from "./estimate.ts";

/** Below, the correction is nothing that could be seen. */
const SKEWNESS_MIN = 0.05;

export interface Bounds {
  readonly lower: number;
  readonly upper: number;
  readonly method: IntervalMethod;
}

/** Bounds of `value` by its standard error and skewness, with so many degrees of freedom; a point without spread. */
export function boundsByRule(
  value: number,
  standardError: number,
  skewness: number,
  degrees: number,
  confidence: number,
): Bounds {
  const t = studentTUpperQuantile((1 - confidence) / 2, Math.max(1, degrees));
  if (Math.abs(skewness) < SKEWNESS_MIN) {
    const half = t * standardError;
    return { lower: value - half, upper: value + half, method: "student_t" };
  }
  return {
    lower: value - standardError * unskewed(t, skewness),
    upper: value - standardError * unskewed(-t, skewness),
    method: "skew_corrected",
  };
}

/** Quantile of a studentized estimate with this skewness from the symmetric one. */
function unskewed(t: number, skewness: number): number {
  return (3 / skewness) * (Math.cbrt(1 + skewness * (t - skewness / 6)) - 1);
}

/** The estimate `value` whose error is a Σy + b Σx to first order. */
export function linearEstimate(
  value: number,
  totals: PairTotals,
  [a, b]: readonly [number, number],
  options: EstimateOptions,
  more: readonly Distrust[] = [],
): Estimate {
  const confidence = options.confidence ?? CONFIDENCE_DEFAULT;
  requireConfidence("estimate", confidence);
  const spread = linear(totals, a, b);
  const variance = totals.census ? 0 : spread.variance;
  const standardError = Math.sqrt(variance);
  const size = effectiveSize(totals);
  const degrees = Math.min(size - 1, spread.degrees);
  const reasons = [
    ...distrustOfSample(totals, options),
    ...distrustOfSpread(totals, spread, [a, b], options),
    ...more,
  ];
  return {
    value,
    variance,
    standardError,
    ...(totals.census && totals.draws > 0
      ? ({ lower: value, upper: value, method: "exact" } as const)
      : boundsByRule(value, standardError, spread.skewness, degrees, confidence)),
    sampled: totals.sampled,
    effectiveSize: size,
    reasons,
    warning: warningText(reasons),
  };
}
