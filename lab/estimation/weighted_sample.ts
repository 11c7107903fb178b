/** Sampling by value: large events are certain, and known exactly. */
import type { Estimate } from "#core/sampling/estimators/estimate.ts";
import type { WeightedItem } from "#core/sampling/selection/weighted_items.ts";
import { KeptEvents } from "../decisions/kept_events.ts";
import type { Events } from "../workload/events.ts";
import type { Sample } from "./sample.ts";
import { scaled } from "./scale.ts";

/** Numbers of events, chosen by their values. */
export interface ByWeight {
  /** Of all values, or of those of the events for which `belongs` holds. */
  total(belongs: ((number: number) => boolean) | undefined, confidence: number): Estimate;
  sample(): readonly WeightedItem<number>[];
}

export class WeightedSample implements Sample {
  readonly #events: Events;
  readonly #selected: ByWeight;
  readonly #independent: (kept: KeptEvents) => Sample;
  readonly size: number;

  /** `independent`: the same events as independent draws, for what their weights say nothing of. */
  constructor(events: Events, selected: ByWeight, independent: (kept: KeptEvents) => Sample) {
    this.#events = events;
    this.#selected = selected;
    this.#independent = independent;
    this.size = selected.sample().length;
  }

  total(type: number | undefined, confidence: number): Estimate {
    const { types } = this.#events;
    const belongs = type === undefined ? undefined : (number: number) => types[number] === type;
    return this.#selected.total(belongs, confidence);
  }

  /** The number of events is known, and the total is what this sample is good at. */
  mean(confidence: number): Estimate {
    return scaled(this.total(undefined, confidence), 1 / this.#events.count);
  }

  /** Each event as if kept by a coin of its own, with the probability weight / what it stands for. */
  quantile(p: number, confidence: number): Estimate {
    const kept = new KeptEvents(this.size);
    for (const { item, weight, estimate } of this.#selected.sample()) {
      kept.add(item, weight / estimate, 0, 0);
    }
    return this.#independent(kept).quantile(p, confidence);
  }
}
