/** Watches an adaptive strategy over the intervals of its controller. */
import type { Interval } from "./decide_replication.ts";
import type { KeptEvents } from "./decisions/kept_events.ts";
import type { IntervalCounts, Timeline } from "./results.ts";
import type { Strategy } from "./strategy.ts";
import { phasesOf } from "./workload/arrivals.ts";
import type { Events } from "./workload/events.ts";
import type { Load, Workload } from "./workload/schema.ts";

export class TimelineRecorder {
  readonly #load: Load;
  readonly #target_events_per_s: number;
  readonly #events: Events;
  readonly #replications: IntervalCounts[] = [];
  /** Rates follow from what was offered, so that they are the same in every replication. */
  #intervals: readonly Interval[] = [];

  private constructor(load: Load, target_events_per_s: number, events: Events) {
    this.#load = load;
    this.#target_events_per_s = target_events_per_s;
    this.#events = events;
  }

  /** Undefined where there is nothing to watch: the strategy does not adapt, or events have no load. */
  static for(workload: Workload, strategy: Strategy, events: Events): TimelineRecorder | undefined {
    if (strategy.kind !== "adaptive" || workload.kind === "recording") return undefined;
    const { load } = workload;
    return load && new TimelineRecorder(load, strategy.target_events_per_s, events);
  }

  add(index: number, intervals: readonly Interval[], kept: KeptEvents): void {
    this.#intervals = intervals;
    const { values } = this.#events;
    const totals = intervals.map(({ keptFirst, keptEnd }) => {
      let total = 0;
      for (let at = keptFirst; at < keptEnd; at++) {
        total += values[kept.numbers[at]!]! / kept.pis[at]!;
      }
      return total;
    });
    const counts = intervals.map(({ keptFirst, keptEnd }) => keptEnd - keptFirst);
    this.#replications.push({ index, kept: counts, totals });
  }

  results(): Timeline {
    const intervals = this.#intervals;
    const { values } = this.#events;
    const [first] = intervals;
    return {
      interval_s: first === undefined ? 0 : first.end_s - first.begin_s,
      target_events_per_s: this.#target_events_per_s,
      offered: intervals.map(({ first: from, end }) => end - from),
      truths: intervals.map(({ first: from, end }) =>
        values.subarray(from, end).reduce((sum, value) => sum + value, 0),
      ),
      loads_per_s: intervals.map(({ begin_s, end_s }) => meanLoad(this.#load, begin_s, end_s)),
      rates: intervals.map(({ rate }) => rate),
      changes_s: phasesOf(this.#load).map(({ begin_s }) => begin_s),
      replications: this.#replications,
    };
  }
}

/** Mean events a second of a load between two times. */
function meanLoad(load: Load, begin_s: number, end_s: number): number {
  let events = 0;
  for (const phase of phasesOf(load)) {
    const overlap_s = Math.min(end_s, phase.end_s) - Math.max(begin_s, phase.begin_s);
    if (overlap_s > 0) events += overlap_s * phase.events_per_s;
  }
  return events / (end_s - begin_s);
}
