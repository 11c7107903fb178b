/** How many events there were, from those that were kept; may be looked at after every event. */
import { BpfError, ERRNO } from "#core/errors.ts";
import { requireInteger } from "../check_argument.ts";
import { anytimeInterval } from "./anytime.ts";
import type { Interval } from "./interval.ts";

/**
 * Confidence sequence of a count: with probability `confidence`, the number of events is inside at *every* moment at
 * once, each event having been kept with probability `rate`. Those numbers n are inside for which the anytime interval
 * of `kept` in n trials holds `rate`. From a rate so small that n may be beyond the safe integers, `upper` is Infinity.
 * Throws BpfError EINVAL unless 0 < rate <= 1.
 */
export function anytimeCountInterval(kept: number, rate: number, confidence: number): Interval {
  const operation = "anytime interval of a count";
  requireInteger(operation, "kept", kept, 0);
  if (!(rate > 0 && rate <= 1)) {
    throw new BpfError(operation, `the rate is ${rate}`, {
      errno: ERRNO.EINVAL,
      hint: "give the probability above 0 and at most 1 with which each event was kept",
    });
  }
  if (rate === 1) return { estimate: kept, lower: kept, upper: kept };
  const isInside = (n: number) => {
    const { lower, upper } = anytimeInterval(kept, n, confidence);
    return lower <= rate && rate <= upper;
  };
  const estimate = kept / rate;
  const near = Math.max(1, Math.round(estimate));
  const end = beyond(near, isInside);
  // Next to the estimate the likelihood is largest, so it is inside, and both ways leave the set once.
  return {
    estimate,
    lower: kept === 0 ? 0 : outermost(near, kept, isInside),
    upper: end === Number.POSITIVE_INFINITY ? end : outermost(near, end, isInside),
  };
}

/** A number above `from` that is outside; Infinity where none of the safe integers is. */
function beyond(from: number, isInside: (n: number) => boolean): number {
  for (let n = 2 * from; n <= Number.MAX_SAFE_INTEGER; n *= 2) if (!isInside(n)) return n;
  return Number.POSITIVE_INFINITY;
}

/** The number furthest from `inside` towards `end` that still is inside. */
function outermost(inside: number, end: number, isInside: (n: number) => boolean): number {
  if (isInside(end)) return end;
  let [from, to] = [inside, end];
  while (Math.abs(to - from) > 1) {
    const middle = Math.round((from + to) / 2);
    // Beyond the safe integers there is nothing between two neighbours that are further apart.
    if (middle === from || middle === to) break;
    if (isInside(middle)) from = middle;
    else to = middle;
  }
  return from;
}
