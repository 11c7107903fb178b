/** A sample whose design is one of those that `core/sampling/estimators/designs` know. */
import type { DesignSample } from "#core/sampling/estimators/designs/pair_totals.ts";
import type { Estimate } from "#core/sampling/estimators/estimate.ts";
import { estimateMean } from "#core/sampling/estimators/mean.ts";
import { type QuantileDesign, QuantileSample } from "#core/sampling/estimators/quantile.ts";
import { estimateTotal } from "#core/sampling/estimators/total.ts";
import type { KeptEvents } from "../decisions/kept_events.ts";
import type { Events, LargestValues } from "../workload/events.ts";
import type { Sample } from "./sample.ts";

/** How the events of a sample were drawn, and what is known besides. */
export interface Drawn<Draw, Design extends DesignSample<Design>> {
  readonly design: QuantileDesign<Draw, Design>;
  /** How event `at` of the kept ones was. */
  readonly drawOf: (at: number) => Draw;
  /** As collectors know them, of events that were not kept, too. */
  readonly largest: LargestValues;
}

export class DesignedSample<Draw, Design extends DesignSample<Design>> implements Sample {
  readonly #events: Events;
  readonly #kept: KeptEvents;
  readonly #drawn: Drawn<Draw, Design>;
  /** Made when it is first asked for. */
  #everything: Design | undefined;

  constructor(events: Events, kept: KeptEvents, drawn: Drawn<Draw, Design>) {
    this.#events = events;
    this.#kept = kept;
    this.#drawn = drawn;
  }

  get size(): number {
    return this.#kept.count;
  }

  #whole(): Design {
    this.#everything ??= this.#part(() => true);
    return this.#everything;
  }

  #part(belongs: (number: number) => boolean): Design {
    const { design, drawOf } = this.#drawn;
    const { numbers, count } = this.#kept;
    const part = design.create();
    for (let at = 0; at < count; at++) {
      const number = numbers[at]!;
      if (belongs(number)) design.enter(part, this.#events.values[number]!, drawOf(at));
    }
    return part;
  }

  total(type: number | undefined, confidence: number): Estimate {
    const whole = this.#whole();
    const { all, byType } = this.#drawn.largest;
    if (type === undefined) {
      const known = { maximum: all, events: this.#events.count };
      return estimateTotal(whole, { confidence, ...known });
    }
    const part = this.#part((number) => this.#events.types[number] === type);
    const options = { confidence, maximum: byType[type]! };
    return estimateTotal({ totals: () => part.totals(whole) }, options);
  }

  mean(confidence: number): Estimate {
    const known = { maximum: this.#drawn.largest.all, events: this.#events.count };
    return estimateMean(this.#whole(), { confidence, ...known });
  }

  quantile(p: number, confidence: number): Estimate {
    const { design, drawOf } = this.#drawn;
    const { numbers, count } = this.#kept;
    const sample = new QuantileSample(design);
    for (let at = 0; at < count; at++) sample.add(this.#events.values[numbers[at]!]!, drawOf(at));
    return sample.estimate(p, { confidence, maximum: this.#drawn.largest.all });
  }
}
