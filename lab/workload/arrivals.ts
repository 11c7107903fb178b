/** When events come. */

import { BpfError } from "#core/errors.ts";
import type { Xoshiro128 } from "#core/random/xoshiro128.ts";
import type { Load } from "./schema.ts";

/** What an experiment may hold; a load that asks for more is refused before memory runs out. */
const EVENTS_MAX = 10_000_000;
/** Of events that come at no particular time. */
const EVENTS_PER_S = 1000;

export function evenArrivals(count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => i / EVENTS_PER_S);
}

export interface Phase {
  readonly begin_s: number;
  readonly end_s: number;
  readonly events_per_s: number;
}

/** The phases of a load, repetitions one by one. */
export function phasesOf({ phases, repeat }: Load): Phase[] {
  let end_s = 0;
  const turns = Array.from({ length: repeat }, () => phases);
  return turns.flat().map(({ seconds, events_per_s }) => {
    const begin_s = end_s;
    end_s += seconds;
    return { begin_s, end_s, events_per_s };
  });
}

export function expectedEvents(load: Load): number {
  return phasesOf(load).reduce(
    (sum, { begin_s, end_s, events_per_s }) => sum + (end_s - begin_s) * events_per_s,
    0,
  );
}

/**
 * Arrival times of a load, in seconds. A Poisson process forgets, so that each phase may start with a new gap. Throws
 * `BpfError` where there would be more than ten million.
 */
export function arrivalsOf(load: Load, random: Xoshiro128): Float64Array {
  const expected = expectedEvents(load);
  if (expected > EVENTS_MAX) {
    throw new BpfError("generate load", `it has ${Math.round(expected)} events`, {
      hint: `at most ${EVENTS_MAX} fit: make phases shorter or events fewer`,
    });
  }
  const times: number[] = [];
  for (const { begin_s, end_s, events_per_s } of phasesOf(load)) {
    if (events_per_s === 0) continue;
    const mean_s = 1 / events_per_s;
    const gap_s = load.arrivals === "even" ? () => mean_s : () => random.exponential(mean_s);
    for (let at = begin_s + gap_s(); at < end_s; at += gap_s()) times.push(at);
  }
  return Float64Array.from(times);
}
