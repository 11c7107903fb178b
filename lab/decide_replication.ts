/** One replication's decisions, by the manager that collectors have. */
import type { SamplingConfig } from "#core/sampling/sampling_config.ts";
import { SamplingManager } from "#core/sampling/sampling_manager.ts";
import type { Decider } from "./decisions/decider.ts";
import type { KeptEvents } from "./decisions/kept_events.ts";
import type { Events } from "./workload/events.ts";

/** The programs decide everything; user space has nothing to draw. */
const noDraw = (): bigint => 0n;

/** What happened in one interval of the controller. */
export interface Interval {
  readonly begin_s: number;
  readonly end_s: number;
  /** Numbers of its events: from `first` up to, not including, `end`. */
  readonly first: number;
  readonly end: number;
  /** Where its part of the kept events begins and ends. */
  readonly keptFirst: number;
  readonly keptEnd: number;
  /** The rate of base events of the lowest type, all through it. */
  readonly rate: number;
}

/** A function that decides a replication. Rules of a strategy that stays as it is are published once. */
export function replicationOf(
  decider: Decider,
  config: SamplingConfig,
  events: Events,
): (seed: bigint, kept: KeptEvents, interval?: (each: Interval) => void) => void {
  if (config.strategy === "adaptive") {
    return (seed, kept, interval) =>
      decideAdaptively(decider, config, events, seed, kept, interval);
  }
  new SamplingManager([decider], noDraw).configure(config);
  return (seed, kept) => {
    kept.count = 0;
    decider.begin(seed);
    decider.decide(0, events.count, kept);
  };
}

/** The controller looks at the counts at the end of every interval, as the collector's timer would. */
function decideAdaptively(
  decider: Decider,
  config: SamplingConfig,
  events: Events,
  seed: bigint,
  kept: KeptEvents,
  interval: (each: Interval) => void = () => {},
): void {
  const { interval_ms } = config.adaptive;
  const manager = new SamplingManager([decider], noDraw);
  manager.configure(config);
  manager.tick(0n);
  kept.count = 0;
  decider.begin(seed);
  const { times_s, count } = events;
  const [type] = decider.types.keys();
  for (let turn = 1, first = 0; first < count; turn++) {
    const end_s = (turn * interval_ms) / 1000;
    let end = first;
    while (end < count && times_s[end]! < end_s) end++;
    const rate = manager.getStatistics().rates[type!]!;
    const keptFirst = kept.count;
    decider.decide(first, end, kept);
    const begin_s = ((turn - 1) * interval_ms) / 1000;
    interval({ begin_s, end_s, first, end, keptFirst, keptEnd: kept.count, rate });
    manager.tick(BigInt(turn) * BigInt(interval_ms) * 1_000_000n);
    first = end;
  }
}
