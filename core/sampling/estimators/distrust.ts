/** Reasons not to rely on an interval, as far as a sample and exact counts beside it can tell. */

import { KEEP_LEAST, rateFromThreshold } from "../threshold.ts";
import { effectiveSize, type Linear, type PairTotals } from "./designs/pair_totals.ts";
import type { Distrust, EstimateOptions } from "./estimate.ts";

/** With fewer, an interval from the sample's own spread covers less than it says. */
const EFFECTIVE_SIZE_MIN = 30;
/** Part of a total that one draw may carry before the others say little about its spread. */
const DOMINANCE_MAX = 0.1;
/** Skewness of the estimator beyond which even the corrected interval falls short. */
const SKEWNESS_MAX = 0.25;
/** Part of the variance that an event known to be missing may stand for. */
const MISSED_VARIANCE_MAX = 0.2;

/** Standard errors by which the estimated number of events may fall short of the exact one. */
const SHORTFALL_MAX = 2;
/** Of a configured rate of 0: the threshold can say nothing smaller. */
const RATE_LEAST = rateFromThreshold(KEEP_LEAST);

const TEXT: Readonly<Record<Distrust, string>> = {
  nothing_sampled: "nothing was sampled: the estimate may be anything",
  few_events: "the sample is worth few events of equal weight",
  no_spread: "all sampled values are alike: the spread is not known",
  dominant_event: "one event carries more than a tenth of the total: the spread is not known",
  skewed: "few events carry most of the total: larger ones may not have been sampled",
  uncertain_size: "the number of events is itself uncertain by more than a fifth",
  beyond_sample: "a bound lies beyond all sampled values",
  maximum_missed: "the largest value that occurred was not sampled, and would matter",
  events_missed:
    "far fewer events stand behind the sample than there were: a large connection was not sampled",
  unsampled: "some kinds of event were not sampled at all: how many there were is not known",
  losses: "events were lost after sampling: the estimate lacks them",
};

/** Reasons as one sentence; undefined where there are none. */
export function warningText(reasons: readonly Distrust[]): string | undefined {
  return reasons.length === 0 ? undefined : reasons.map((reason) => TEXT[reason]).join("; ");
}

/** Reasons that hold for every kind of estimate. */
export function distrustOfSample(totals: PairTotals, options: EstimateOptions): Distrust[] {
  const reasons: Distrust[] = [];
  if (totals.draws === 0) reasons.push("nothing_sampled");
  else if (!totals.census && effectiveSize(totals) < EFFECTIVE_SIZE_MIN) {
    reasons.push("few_events");
  }
  if (missesEvents(totals, options.events)) reasons.push("events_missed");
  if ((options.rate ?? 1) <= RATE_LEAST) reasons.push("unsampled");
  if ((options.lost ?? 0) > 0) reasons.push("losses");
  return reasons;
}

/**
 * Whether connections are missing that the sample itself cannot know of: one that has a large part of the events and was left out
 * makes the rest look small and alike. Events that are drawn one by one miss no more than chance says.
 */
function missesEvents({ x, xx, draws, sampled }: PairTotals, events: number | undefined): boolean {
  if (events === undefined || draws === 0 || draws === sampled) return false;
  return events - x > SHORTFALL_MAX * Math.sqrt(xx);
}

/** Reasons where few draws are no trouble, their distribution being known; but that of few connections is not. */
export function distrustOfDistribution(totals: PairTotals, options: EstimateOptions): Distrust[] {
  const reasons = distrustOfSample(totals, options);
  if (totals.draws < totals.sampled) return reasons;
  return reasons.filter((reason) => reason !== "few_events");
}

/**
 * Reasons of a smooth estimate whose error is a Σy + b Σx: where its normal approximation, and with it the interval,
 * is in doubt.
 */
export function distrustOfSpread(
  totals: PairTotals,
  { variance, skewness }: Linear,
  [a, b]: readonly [number, number],
  { maximum = Number.NEGATIVE_INFINITY }: EstimateOptions,
): Distrust[] {
  const reasons: Distrust[] = [];
  if (totals.draws === 0 || totals.census) return reasons;
  if (variance === 0) reasons.push("no_spread");
  else if (totals.largest > DOMINANCE_MAX * Math.abs(totals.y)) reasons.push("dominant_event");
  if (Math.abs(skewness) > SKEWNESS_MAX) reasons.push("skewed");
  // An event of that value, had it been in the frame as any other, adds e² (w - 1) to the variance.
  const missed = (a * maximum + b) ** 2 * (totals.weights / totals.sampled - 1);
  if (maximum > totals.maximum && missed > MISSED_VARIANCE_MAX * variance) {
    reasons.push("maximum_missed");
  }
  return reasons;
}
