/** How an adaptive strategy keeps to its target while the load changes. */
import type { Timeline } from "./results.ts";

/** Within this part of the target the rate counts as settled. */
const TOLERANCE = 0.05;
/** Width of the windows in which kept events are compared with the target. */
const WINDOW_S = 1;

export interface Control {
  /**
   * Longest time from a change of the load until what is kept, on average, stays within 5 % of what is wanted, in whole
   * intervals; null where it does not before the next change.
   */
  readonly settling_s: number | null;
  /** Most events kept beyond what is wanted after one change, in seconds of the target. */
  readonly excess_s: number;
  /**
   * Root mean square deviation from what is wanted, over windows of a second after settling, relative to it; null where
   * there is no such window.
   */
  readonly steady_rms: number | null;
  /** What the deviation would be if each event were kept independently at exactly the right rate. */
  readonly noise_rms: number | null;
  /** Events kept in all, relative to what is wanted. */
  readonly kept_ratio: number;
  /** Largest mean error of an interval's estimated total, in standard errors of that mean. */
  readonly bias_z_max: number;
  readonly intervals: number;
}

/** A stretch of intervals with one load: from `begin` up to, not including, `end`. */
interface Stretch {
  readonly begin: number;
  readonly end: number;
  /** First interval from which on the rate is right until the end. */
  readonly settled: number;
}

/** Undefined where there was nothing to control: no replication, or no event. */
export function controlOf(timeline: Timeline): Control | undefined {
  const { offered, interval_s, replications } = timeline;
  if (offered.length === 0 || replications.length === 0) return undefined;
  const wanted = offered.map((_, i) => wantedPerS(timeline, i));
  const stretches = stretchesOf(timeline, wanted);
  const neverSettled = stretches.some(({ end, settled }) => settled === end);
  const settling = Math.max(...stretches.map(({ begin, settled }) => settled - begin));
  return {
    settling_s: neverSettled ? null : settling * interval_s,
    excess_s: Math.max(...stretches.map((each) => excessOf(timeline, wanted, each))),
    ...steadiness(timeline, wanted, stretches),
    kept_ratio: keptRatio(timeline, wanted),
    bias_z_max: Math.max(...offered.map((_, i) => Math.abs(biasOf(timeline, i)))),
    intervals: offered.length,
  };
}

/** Below its target a strategy can only keep everything. */
function wantedPerS({ target_events_per_s, loads_per_s }: Timeline, i: number): number {
  return Math.min(target_events_per_s, loads_per_s[i]!);
}

/** The intervals of each phase. One in which the load changes belongs to the phase that it changes to. */
function stretchesOf(timeline: Timeline, wanted: readonly number[]): Stretch[] {
  const { changes_s, interval_s } = timeline;
  const count = timeline.offered.length;
  // An event's worth of rounding must not move a change into the interval before.
  const begins = changes_s.map((at_s) => Math.floor(at_s / interval_s + 1e-6));
  const stretches: Stretch[] = [];
  for (const [i, begin] of begins.entries()) {
    const end = Math.min(count, begins[i + 1] ?? count);
    let settled = end;
    while (settled > begin && isRight(timeline, wanted, settled - 1)) settled--;
    if (end > begin) stretches.push({ begin, end, settled });
  }
  return stretches;
}

function isRight({ loads_per_s, rates }: Timeline, wanted: readonly number[], i: number): boolean {
  return Math.abs(loads_per_s[i]! * rates[i]! - wanted[i]!) <= TOLERANCE * wanted[i]!;
}

function excessOf(timeline: Timeline, wanted: readonly number[], { begin, end }: Stretch): number {
  const { loads_per_s, rates, interval_s, target_events_per_s } = timeline;
  let excess = 0;
  for (let i = begin; i < end; i++) {
    excess += Math.max(0, loads_per_s[i]! * rates[i]! - wanted[i]!) * interval_s;
  }
  return excess / target_events_per_s;
}

function keptRatio({ replications, interval_s }: Timeline, wanted: readonly number[]): number {
  const target = replications.length * interval_s * sum(wanted, 0, wanted.length);
  const kept = replications.reduce((all, each) => all + sum(each.kept, 0, each.kept.length), 0);
  return target === 0 ? 1 : kept / target;
}

function steadiness(
  { replications, interval_s, offered }: Timeline,
  wanted: readonly number[],
  stretches: readonly Stretch[],
): Pick<Control, "steady_rms" | "noise_rms"> {
  const width = Math.max(1, Math.round(WINDOW_S / interval_s));
  let [squares, noise, windows] = [0, 0, 0];
  for (const { settled, end } of stretches) {
    for (let from = settled; from + width <= end; from += width) {
      const target = sum(wanted, from, width) * interval_s;
      const available = sum(offered, from, width);
      if (target === 0 || available === 0) continue;
      const rate = Math.min(1, target / available);
      for (const { kept } of replications) squares += (sum(kept, from, width) / target - 1) ** 2;
      noise += (replications.length * (1 - rate)) / target;
      windows += replications.length;
    }
  }
  if (windows === 0) return { steady_rms: null, noise_rms: null };
  return { steady_rms: Math.sqrt(squares / windows), noise_rms: Math.sqrt(noise / windows) };
}

function sum(counts: readonly number[], from: number, width: number): number {
  let total = 0;
  for (let i = from; i < from + width; i++) total += counts[i]!;
  return total;
}

function biasOf({ replications, truths }: Timeline, i: number): number {
  const errors = replications.map(({ totals }) => totals[i]! - truths[i]!);
  const mean = errors.reduce((total, error) => total + error, 0) / errors.length;
  const square = errors.reduce((total, error) => total + (error - mean) ** 2, 0);
  const spread = Math.sqrt(square / Math.max(1, errors.length - 1) / errors.length);
  // What is always known exactly differs by rounding only.
  return spread <= 1e-9 * Math.abs(truths[i]!) ? 0 : mean / spread;
}
