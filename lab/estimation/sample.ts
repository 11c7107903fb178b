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
import { type Events, type LargestValues, largestValues, typeCounts } from "../workload/events.ts";
import { DesignedSample } from "./designed_sample.ts";
import { selectBottomK, selectPriority, selectReservoir, selectVarOpt } from "./select.ts";
import { type ByWeight, WeightedSample } from "./weighted_sample.ts";

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
  const largest = largestValues(events);
  const independent = (kept: KeptEvents) => independentSample(events, kept, largest);
  const byWeight = (selected: ByWeight) => new WeightedSample(events, selected, independent);
  switch (strategy.kind) {
    case "consistent":
      return (kept) => clusterSample(events, kept, largest);
    case "stratified": {
      const nameOf = (number: number): string => events.typeNames[events.types[number]!]!;
      const strata = { sizes: typeCounts(events), nameOf };
      return (kept) => stratifiedSample(events, kept, strata, largest);
    }
    case "reservoir": {
      // One stratum: a simple random sample without replacement.
      const strata = { sizes: new Map([["all", events.count]]), nameOf: () => "all" };
      const { k } = strategy;
      return (kept) => stratifiedSample(events, selectReservoir(kept, k), strata, largest);
    }
    case "bottom_k":
      return (kept) => independent(selectBottomK(kept, strategy.k));
    case "priority_sampling":
      return (kept) => byWeight(selectPriority(events.values, kept, strategy.k));
    case "varopt":
      return (kept) => byWeight(selectVarOpt(events.values, kept, strategy.k));
    default:
      return independent;
  }
}

function independentSample(events: Events, kept: KeptEvents, largest: LargestValues): Sample {
  const drawOf = (at: number): number => kept.pis[at]!;
  return new DesignedSample(events, kept, { design: POISSON_DRAWS, drawOf, largest });
}

function clusterSample(events: Events, kept: KeptEvents, largest: LargestValues): Sample {
  // The upper 53 bits of R, which is what the estimator takes a connection for.
  const randomnessAt = (at: number): number => kept.highs[at]! * 2 ** 21 + (kept.lows[at]! >>> 3);
  const drawOf = (at: number) => ({ randomness: randomnessAt(at), pi: kept.pis[at]! });
  return new DesignedSample(events, kept, { design: CLUSTER_DRAWS, drawOf, largest });
}

interface Strata {
  readonly sizes: ReadonlyMap<string, number>;
  /** Stratum of an event, by its number. */
  readonly nameOf: (number: number) => string;
}

function stratifiedSample(
  events: Events,
  kept: KeptEvents,
  { sizes, nameOf }: Strata,
  largest: LargestValues,
): Sample {
  const drawOf = (at: number): string => nameOf(kept.numbers[at]!);
  return new DesignedSample(events, kept, { design: stratifiedDraws(sizes), drawOf, largest });
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
