/** Priority sampling by value: large events are certain, and known exactly. */
import type { Estimate } from "#core/sampling/estimators/estimate.ts";
import { PrioritySample } from "#core/sampling/selection/priority_sample.ts";
import { KeptEvents } from "../decisions/kept_events.ts";
import type { Events } from "../workload/events.ts";
import type { Sample } from "./sample.ts";
import { scaled } from "./scale.ts";

export class WeightedSample implements Sample {
  readonly #events: Events;
  readonly #sample: PrioritySample<number>;
  readonly #independent: (kept: KeptEvents) => Sample;
  readonly size: number;

  /** `independent`: the same events as independent draws, for what their weights say nothing of. */
  constructor(
    events: Events,
    kept: KeptEvents,
    k: number,
    independent: (kept: KeptEvents) => Sample,
  ) {
    this.#events = events;
    this.#independent = independent;
    this.#sample = new PrioritySample(k);
    for (let at = 0; at < kept.count; at++) {
      const number = kept.numbers[at]!;
      this.#sample.offer(events.values[number]!, kept.uniformAt(at), number);
    }
    this.size = Math.min(k, kept.count);
  }

  total(type: number | undefined, confidence: number): Estimate {
    const { types } = this.#events;
    const belongs = (number: number) => type === undefined || types[number] === type;
    return this.#sample.total(belongs, confidence);
  }

  /** The number of events is known, and the total is what this sample is good at. */
  mean(confidence: number): Estimate {
    return scaled(this.total(undefined, confidence), 1 / this.#events.count);
  }

  /** Given the threshold, each event was kept with probability weight / threshold, by a coin of its own. */
  quantile(p: number, confidence: number): Estimate {
    const threshold = this.#sample.threshold();
    const kept = new KeptEvents(this.size);
    for (const { item, weight } of this.#sample.sample()) {
      kept.add(item, Math.min(1, weight / threshold), 0, 0);
    }
    return this.#independent(kept).quantile(p, confidence);
  }
}
