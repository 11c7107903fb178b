/** Totals of weights from a weighted sample, whatever chose it. */
import { BpfError, ERRNO } from "../../errors.ts";
import { PoissonSample } from "../estimators/designs/poisson_sample.ts";
import type { Estimate } from "../estimators/estimate.ts";
import { linearEstimate } from "../estimators/interval_rule.ts";

export interface WeightedItem<Item> {
  readonly item: Item;
  readonly weight: number;
  /** Weight that it stands for: its own, divided by the probability that it was kept with. */
  readonly estimate: number;
}

/** Throws `BpfError` EINVAL unless the weight is finite and not below 0. */
export function requireWeight(weight: number): void {
  if (weight >= 0 && weight < Number.POSITIVE_INFINITY) return;
  throw new BpfError("sample by weight", `the weight is ${weight}`, {
    errno: ERRNO.EINVAL,
    hint: "give a finite weight from 0",
  });
}

/** Sum of the weights that these kept items stand for, with the variance of independent draws. */
export function estimateWeights(
  kept: readonly WeightedItem<unknown>[],
  confidence: number,
): Estimate {
  const sample = new PoissonSample();
  let [uncertain, largest] = [0, 0];
  for (const { weight, estimate } of kept) {
    sample.add(weight, Math.min(1, weight / estimate));
    if (weight >= estimate) continue;
    uncertain += 1;
    largest = Math.max(largest, estimate);
  }
  const totals = sample.totals();
  // What is above the threshold is known exactly, and the others stand for it all alike: they are equals.
  const equals = { weights: uncertain, squaredWeights: uncertain, largest };
  return linearEstimate(totals.y, { ...totals, ...equals }, [1, 0], { confidence });
}
