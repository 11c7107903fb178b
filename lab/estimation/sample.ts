/** What a sample tells of the events that it is from. */
import type { Estimate } from "#core/sampling/estimators/estimate.ts";
import {
  CLUSTER_DRAWS,
  POISSON_DRAWS,
  stratifiedDraws,
} from "#core/sampling/estimators/quantile.ts";
import type { KeptEvents } from "../decisions/kept_events.ts";
import type { Quantity } from "../quantity.ts";
import type { Strategy } from "../strategy.ts";
import { type Events, typeCounts } from "../workload/events.ts";
import { DesignedSample } from "./designed_sample.ts";
import { selectBottomK, selectReservoir } from "./select.ts";
import { WeightedSample } from "./weighted_sample.ts";

export interface Sample {
  /** Events that are in it. */
  readonly size: number;
  /** Of the values of all events, or of one type. */
  total(type: number | undefined, confidence: number): Estimate;
  mean(confidence: number): Estimate;
  /** The smallest value up to which at least the part `p` of the events lies. */
  quantile(p: number, confidence: number): Estimate;
}

/** Makes the sample that user space has of what the programs kept, once for each replication. */
export function samplerOf(strategy: Strategy, events: Events): (kept: KeptEvents) => Sample {
  switch (strategy.kind) {
    case "consistent":
      return (kept) => clusterSample(events, kept);
    case "stratified": {
      const nameOf = (number: number): string => events.typeNames[events.types[number]!]!;
      const sizes = typeCounts(events);
      return (kept) => stratifiedSample(events, kept, nameOf, sizes);
    }
    case "reservoir": {
      // One stratum: a simple random sample without replacement.
      const sizes = new Map([["all", events.count]]);
      const { k } = strategy;
      return (kept) => stratifiedSample(events, selectReservoir(kept, k), () => "all", sizes);
    }
    case "bottom_k":
      return (kept) => independentSample(events, selectBottomK(kept, strategy.k));
    case "priority_sampling":
      return (kept) => new WeightedSample(events, kept, strategy.k);
    default:
      return (kept) => independentSample(events, kept);
  }
}

export function independentSample(events: Events, kept: KeptEvents): Sample {
  const drawOf = (at: number): number => kept.pis[at]!;
  return new DesignedSample(events, kept, { design: POISSON_DRAWS, drawOf });
}

function clusterSample(events: Events, kept: KeptEvents): Sample {
  // The upper 53 bits of R, which is what the estimator takes a connection for.
  const randomnessAt = (at: number): number => kept.highs[at]! * 2 ** 21 + (kept.lows[at]! >>> 3);
  const drawOf = (at: number) => ({ randomness: randomnessAt(at), pi: kept.pis[at]! });
  return new DesignedSample(events, kept, { design: CLUSTER_DRAWS, drawOf });
}

function stratifiedSample(
  events: Events,
  kept: KeptEvents,
  nameOf: (number: number) => string,
  sizes: ReadonlyMap<string, number>,
): Sample {
  const drawOf = (at: number): string => nameOf(kept.numbers[at]!);
  return new DesignedSample(events, kept, { design: stratifiedDraws(sizes), drawOf });
}

export function estimateOf(sample: Sample, quantity: Quantity, confidence: number): Estimate {
  switch (quantity.kind) {
    case "total":
      return sample.total(quantity.type, confidence);
    case "mean":
      return sample.mean(confidence);
    case "quantile":
      return sample.quantile(quantity.p, confidence);
  }
}
