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

export function expectedEvents({ phases, repeat }: Load): number {
  return (
    repeat * phases.reduce((sum, { seconds, events_per_s }) => sum + seconds * events_per_s, 0)
  );
}

/**
 * Arrival times of a load, in seconds. A Poisson process forgets, so that each phase may start with a new gap. Throws
 * `BpfError` where there would be more than ten million.
 */
export function arrivalsOf(load: Load, random: Xoshiro128): Float64Array {
  const { phases, repeat, arrivals } = load;
  const expected = expectedEvents(load);
  if (expected > EVENTS_MAX) {
    throw new BpfError("generate load", `it has ${Math.round(expected)} events`, {
      hint: `at most ${EVENTS_MAX} fit: make phases shorter or events fewer`,
    });
  }
  const times: number[] = [];
  let begin = 0;
  for (let turn = 0; turn < repeat; turn++) {
    for (const { seconds, events_per_s } of phases) {
      const end = begin + seconds;
      if (events_per_s > 0) {
        const mean = 1 / events_per_s;
        const gap = arrivals === "even" ? () => mean : () => random.exponential(mean);
        for (let at = begin + gap(); at < end; at += gap()) times.push(at);
      }
      begin = end;
    }
  }
  return Float64Array.from(times);
}
