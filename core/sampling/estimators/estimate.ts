/** What an estimator answers. */

import { requireConfidence } from "../../stats/check_argument.ts";
import { normalUpperQuantile } from "../../stats/distributions/normal.ts";

export interface Estimate {
  readonly value: number;
  /** Of the estimator. */
  readonly variance: number;
  readonly standardError: number;
  readonly lower: number;
  readonly upper: number;
  /** Events that it is from. */
  readonly sampled: number;
  /** How many events of equal weight would tell as much (Kish): (Σw)²/Σw². */
  readonly effectiveSize: number;
  /** Why the interval should not be relied on; undefined where it may. */
  readonly warning: string | undefined;
}

/** With fewer, a normal interval of a skewed sum covers less than it says. */
const EFFECTIVE_SIZE_MIN = 30;
/** Part of a total that one event may carry before the others say little about its spread. */
const DOMINANCE_MAX = 0.1;
/** Below, the sampled values are so uneven (squared coefficient of variation above 9) that larger ones are to be feared. */
const EVENNESS_MIN = 0.1;

export interface EstimateParts {
  readonly value: number;
  readonly variance: number;
  readonly sampled: number;
  readonly effectiveSize: number;
  /** The largest contribution of one event, as an absolute value. */
  readonly largest: number;
  /** (Σ|c|)²/(n Σc²) of the contributions c: 1 where all are equal; default 1. */
  readonly evenness?: number;
  readonly confidence: number;
}

/** A normal interval, with a warning where it cannot be trusted. */
export function normalEstimate(parts: EstimateParts): Estimate {
  const { value, sampled, effectiveSize, confidence } = parts;
  requireConfidence("estimate", confidence);
  const variance = Math.max(0, parts.variance);
  const standardError = Math.sqrt(variance);
  const half = normalUpperQuantile((1 - confidence) / 2) * standardError;
  return {
    value,
    variance,
    standardError,
    lower: value - half,
    upper: value + half,
    sampled,
    effectiveSize,
    warning: warningOf({ ...parts, variance }),
  };
}

function warningOf({
  variance,
  value,
  effectiveSize,
  largest,
  sampled,
  evenness = 1,
}: EstimateParts): string | undefined {
  if (variance === 0 && sampled > 0) return undefined;
  if (sampled === 0) return "nothing was sampled: the estimate may be anything";
  if (effectiveSize < EFFECTIVE_SIZE_MIN) {
    return `the sample is worth ${effectiveSize.toFixed(1)} events of equal weight`;
  }
  if (largest > DOMINANCE_MAX * Math.abs(value)) {
    return "one event carries more than a tenth of the total: the spread is not known";
  }
  if (evenness < EVENNESS_MIN) {
    return "few events carry most of the total: larger ones may not have been sampled";
  }
  return undefined;
}
