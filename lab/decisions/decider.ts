/** Who decides which events are kept: the fast model, or the bytecode of the collectors. */
import type { SamplingTarget } from "#core/sampling/sampling_manager.ts";
import type { KeptEvents } from "./kept_events.ts";

/** Of one workload's events. Rules come from a `SamplingManager`, as in a collector. */
export interface Decider extends SamplingTarget {
  /** Begins a replication: `seed`, 64 bits, decides all that follows until the next. */
  begin(seed: bigint): void;
  /** Decides the events from number `first` up to, not including, `end`; adds those that are kept. */
  decide(first: number, end: number, kept: KeptEvents): void;
  close(): void;
}
