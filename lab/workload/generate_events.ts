/** Generated events: values by the workload's law, then what else sampling may look at. */
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { arrivalsOf, evenArrivals } from "./arrivals.ts";
import type { Events } from "./events.ts";
import type { GeneratedWorkload } from "./schema.ts";
import { generateValues, zipf } from "./values.ts";

/** Values are taken as milliseconds where a latency in nanoseconds is asked for. */
const NS_PER_VALUE = 1e6;
const NORMAL_PRIORITY = 1;
const HIGH_PRIORITY = 5;
const TYPES = 8;

/** Each column has a stream of its own, so that a workload's values stay when it gets connections. */
export function generateEvents(workload: GeneratedWorkload, random: Xoshiro128): Events {
  const values_random = new Xoshiro128(random.u32());
  const times_random = new Xoshiro128(random.u32());
  const times_s =
    workload.load === undefined
      ? evenArrivals(workload.events!)
      : arrivalsOf(workload.load, times_random);
  const count = times_s.length;
  const values = generateValues(workload, count, values_random);
  const types = typesOf(workload, count, new Xoshiro128(random.u32()));
  const connections = connectionsOf(workload, count, new Xoshiro128(random.u32()));
  const { count: typeCount, factor } = workload.types;
  if (factor !== 1) {
    for (let i = 0; i < count; i++) values[i]! *= factor ** (types[i]! - 1);
  }
  const isError = chance(workload.error_share, new Xoshiro128(random.u32()));
  const isHigh = chance(workload.high_priority_share, new Xoshiro128(random.u32()));
  return {
    count,
    values,
    times_s,
    types,
    connections,
    latencies_ns: values.map((value) => Math.max(1, Math.round(value * NS_PER_VALUE))),
    typeNames: Array.from({ length: TYPES }, (_, t) =>
      t >= 1 && t <= typeCount ? `type ${t}` : "",
    ),
    errors: Uint8Array.from(values, () => Number(isError())),
    priorities: Uint8Array.from(values, () => (isHigh() ? HIGH_PRIORITY : NORMAL_PRIORITY)),
  };
}

function chance(share: number, random: Xoshiro128): () => boolean {
  return share === 0 ? () => false : () => random.uniform() < share;
}

function typesOf({ types }: GeneratedWorkload, count: number, random: Xoshiro128): Uint8Array {
  if (types.count === 1) return new Uint8Array(count).fill(1);
  const draw = zipf(1, types.count);
  return Uint8Array.from({ length: count }, () => draw(random));
}

/** Numbers of connections, each of as many neighbours as a Pareto law of the wanted mean says. */
function connectionsOf(
  { connections: { mean_events, tail } }: GeneratedWorkload,
  count: number,
  random: Xoshiro128,
): Uint32Array {
  const connections = new Uint32Array(count);
  const least = (mean_events * (tail - 1)) / tail;
  for (let i = 0, number = 0; i < count; number++) {
    const size = mean_events === 1 ? 1 : Math.max(1, Math.round(random.pareto(least, tail)));
    const end = Math.min(count, i + size);
    connections.fill(number, i, end);
    i = end;
  }
  return connections;
}
