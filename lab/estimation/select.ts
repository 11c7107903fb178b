/** Samples of fixed size out of what the programs delivered, by the R of each event. */
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { BottomK } from "#core/sampling/selection/bottom_k.ts";
import { PrioritySample } from "#core/sampling/selection/priority_sample.ts";
import { Reservoir } from "#core/sampling/selection/reservoir.ts";
import { VarOptSample } from "#core/sampling/selection/varopt.ts";
import { rateFromThreshold } from "#core/sampling/threshold.ts";
import { KeptEvents } from "../decisions/kept_events.ts";
import type { ByWeight } from "./weighted_sample.ts";

/** The k largest R, each with the probability that the (k+1)-th gives it. */
export function selectBottomK(kept: KeptEvents, k: number): KeptEvents {
  const sample = new BottomK<number>(k);
  for (let at = 0; at < kept.count; at++) sample.offer(kept.highs[at]!, kept.lows[at]!, at);
  const pi = rateFromThreshold(sample.threshold());
  const selected = new KeptEvents(k);
  for (const { item: at, high, low } of sample.sample()) {
    selected.add(kept.numbers[at]!, pi, high, low);
  }
  return selected;
}

/** Algorithm R, which takes its chances from R. */
export function selectReservoir(kept: KeptEvents, k: number): KeptEvents {
  let offered = 0;
  const reservoir = new Reservoir<number>(k, (limit) =>
    Math.floor(kept.uniformAt(offered) * limit),
  );
  for (; offered < kept.count; offered++) reservoir.offer(offered);
  const selected = new KeptEvents(k);
  for (const at of reservoir.sample()) {
    selected.add(kept.numbers[at]!, reservoir.rate, kept.highs[at]!, kept.lows[at]!);
  }
  return selected;
}

/** The k largest of value / u, with u from R. */
export function selectPriority(values: Float64Array, kept: KeptEvents, k: number): ByWeight {
  const sample = new PrioritySample<number>(k);
  for (let at = 0; at < kept.count; at++) {
    const number = kept.numbers[at]!;
    sample.offer(values[number]!, kept.uniformAt(at), number);
  }
  return sample;
}

/** VarOpt, which draws more often than there are R: by a generator that the first event's R seeds. */
export function selectVarOpt(values: Float64Array, kept: KeptEvents, k: number): ByWeight {
  const random = new Xoshiro128(kept.count === 0 ? 0 : kept.highs[0]! ^ kept.lows[0]!);
  const sample = new VarOptSample<number>(k, {
    chance: (p) => random.uniform() < p,
    below: (limit) => random.below(limit),
  });
  for (let at = 0; at < kept.count; at++) {
    const number = kept.numbers[at]!;
    sample.offer(values[number]!, number);
  }
  return {
    total: (belongs, confidence) =>
      belongs === undefined ? sample.total() : sample.subset(belongs, confidence),
    sample: () => sample.sample(),
  };
}
