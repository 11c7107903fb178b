/**
 * Proportions, with the interval that the sample calls for: hypergeometric where the size is known and all weights
 * are equal, Wilson or Clopper-Pearson for equal weights, Korn and Graubard's for unequal ones and clusters.
 */
import { requireConfidence } from "../../stats/check_argument.ts";
import { chooseProportionInterval } from "../../stats/intervals/choose.ts";
import { clopperPearsonInterval } from "../../stats/intervals/clopper_pearson.ts";
import { kornGraubardInterval } from "../../stats/intervals/korn_graubard.ts";
import {
  type DesignSample,
  effectiveSize,
  linear,
  type PairTotals,
} from "./designs/pair_totals.ts";
import { distrustOfDistribution, warningText } from "./distrust.ts";
import { CONFIDENCE_DEFAULT, type Estimate, type EstimateOptions } from "./estimate.ts";
import type { Bounds } from "./interval_rule.ts";

export interface ProportionOptions extends EstimateOptions {
  /** Events in all, where a sample of fixed size was drawn from them without replacement. */
  readonly population?: number;
  /** Clopper-Pearson where Wilson would do: equal weights are then never covered less than the confidence says. */
  readonly exact?: boolean;
}

/** Rounding that weights of equal probability may have left. */
const ROUNDING = 1e-12;

/** The part of the events with y = 1; the others were added with y = 0, all with x = 1. */
export function estimateProportion(
  sample: { totals(): PairTotals },
  options: ProportionOptions = {},
): Estimate {
  return proportionOfTotals(sample.totals(), options);
}

/** The part of `whole` that a domain makes up, whose sampled events `part` holds with y = 1. */
export function estimateShare<Sample extends DesignSample<Sample>>(
  part: Sample,
  whole: Sample,
  options: ProportionOptions = {},
): Estimate {
  return proportionOfTotals(part.shareTotals(whole), options);
}

export function proportionOfTotals(totals: PairTotals, options: ProportionOptions): Estimate {
  const confidence = options.confidence ?? CONFIDENCE_DEFAULT;
  requireConfidence("estimate a proportion", confidence);
  const { y, x } = totals;
  const value = x === 0 ? 0 : Math.min(1, Math.max(0, y / x));
  const variance = x === 0 || totals.census ? 0 : linear(totals, 1 / x, -value / x).variance;
  const reasons = distrustOfDistribution(totals, options);
  return {
    value,
    variance,
    standardError: Math.sqrt(variance),
    ...bounds(totals, value, variance, confidence, options),
    sampled: totals.sampled,
    effectiveSize: effectiveSize(totals),
    reasons,
    warning: warningText(reasons),
  };
}

function bounds(
  totals: PairTotals,
  value: number,
  variance: number,
  confidence: number,
  { population, exact = false }: ProportionOptions,
): Bounds {
  const { draws, sampled } = totals;
  if (draws === 0) return { lower: 0, upper: 1, method: "clopper_pearson" };
  if (totals.census) return { lower: value, upper: value, method: "exact" };
  const size = effectiveSize(totals);
  if (draws === sampled && size >= sampled * (1 - ROUNDING)) {
    const successes = Math.round(value * sampled);
    if (population === undefined && exact) return clopperPearson(successes, sampled, confidence);
    const known = population === undefined ? {} : { population };
    return chooseProportionInterval({ successes, trials: sampled, confidence, ...known });
  }
  if (variance === 0) return clopperPearson(value * size, size, confidence);
  return { ...kornGraubardInterval(value, variance, draws, confidence), method: "korn_graubard" };
}

function clopperPearson(successes: number, trials: number, confidence: number): Bounds {
  const { lower, upper } = clopperPearsonInterval(successes, trials, confidence);
  return { lower, upper, method: "clopper_pearson" };
}
