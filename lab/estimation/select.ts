/** Samples of fixed size out of what the programs delivered, by the R of each event. */
import { BottomK } from "#core/sampling/selection/bottom_k.ts";
import { Reservoir } from "#core/sampling/selection/reservoir.ts";
import { rateFromThreshold } from "#core/sampling/threshold.ts";
import { KeptEvents } from "../decisions/kept_events.ts";

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
