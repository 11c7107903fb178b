/** Quantiles: the point where a distribution function reaches a probability. */

/** Value of a distribution at a point of the positive axis. */
export interface TailAt {
  /** P(X <= x). */
  readonly lower: number;
  /** P(X > x). */
  readonly upper: number;
  /** x times the density at x: the change of either side per step in log x. */
  readonly slope: number;
}

const MAX_STEPS = 300;
const LOG_MIN = -745;
const LOG_MAX = 709.7;

/**
 * The x > 0 with P(X <= x) = p, where q = 1 - p is given as well and the smaller of both is met
 * relative to itself. Newton steps in log x on the logarithm of the tail, which is nearly straight
 * far out, kept inside a shrinking bracket so that it always ends.
 */
export function invertTail(p: number, q: number, start: number, at: (x: number) => TailAt): number {
  let low = LOG_MIN;
  let high = LOG_MAX;
  let x = start;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const { lower, upper, slope } = at(x);
    const log_x = Math.log(x);
    const gap = p <= q ? Math.log(lower / p) : -Math.log(upper / q);
    if (gap === 0) return x;
    if (gap > 0) high = Math.min(high, log_x);
    else low = Math.max(low, log_x);
    const move = (-gap * (p <= q ? lower : upper)) / slope;
    const next = log_x + move;
    const usable = Number.isFinite(move) && next > low && next < high;
    if (usable && Math.abs(move) < 1e-9) return x * Math.exp(move);
    if (high - low < 1e-16 * Math.max(1, Math.abs(low))) return x;
    x =
      usable && Math.abs(move) < 40 ? x * Math.exp(move) : Math.exp(middle(low, high, log_x, gap));
  }
  return x;
}

/** Bisects, but widens from the last point while one end is still the end of the axis. */
function middle(low: number, high: number, log_x: number, gap: number): number {
  if (gap > 0 && low === LOG_MIN) return Math.max((low + log_x) / 2, log_x - 8);
  if (gap < 0 && high === LOG_MAX) return Math.min((high + log_x) / 2, log_x + 8);
  return (low + high) / 2;
}
