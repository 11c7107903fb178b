/** Totals of weights from a weighted sample, whatever chose it. */
import { BpfError, ERRNO } from "../../errors.ts";
import type { PairTotals } from "../estimators/designs/pair_totals.ts";
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
  const { totals, draws } = drawnIndependently(kept);
  return linearEstimate(totals.y, { ...totals, ...equals(draws) }, [1, 0], { confidence });
}

/**
 * The same where a fixed number was kept, of which `kept` is a part: each more that is inside is one less outside. The
 * variance is that of conditional Poisson sampling (Hájek 1964), Σ (1 - π)(e - ē)² n/(n - 1) over all n uncertain items, where
 * e is what an item adds to the part: τ or nothing. With q, the part's share of Σ (1 - π), moments of τ or nothing are
 * those of a coin.
 */
export function estimatePartOfWeights(
  kept: readonly WeightedItem<unknown>[],
  whole: readonly WeightedItem<unknown>[],
  confidence: number,
): Estimate {
  const { totals, draws, uncertainty } = drawnIndependently(kept);
  const all = drawnIndependently(whole);
  const q = all.uncertainty === 0 ? 0 : uncertainty / all.uncertainty;
  const outside = all.draws - draws;
  const [yyy, ...third] = totals.third;
  const [yyyy, ...fourth] = totals.fourth;
  const moments = {
    yy: totals.yy * (1 - q) * (all.draws / Math.max(1, all.draws - 1)),
    third: [yyy * (1 - q) * (1 - 2 * q), ...third] as const,
    fourth: [yyyy * (1 - q) * ((1 - q) ** 3 + q ** 3), ...fourth] as const,
  };
  // What is rare, inside or outside, is what the spread is known from.
  const rare = equals(totals.census ? draws : Math.min(draws, outside));
  return linearEstimate(totals.y, { ...totals, ...moments, ...rare }, [1, 0], { confidence });
}

interface Drawn {
  readonly totals: PairTotals;
  /** Items that are not certain, and Σ (1 - π) of them. */
  readonly draws: number;
  readonly uncertainty: number;
}

function drawnIndependently(kept: readonly WeightedItem<unknown>[]): Drawn {
  const sample = new PoissonSample();
  let [draws, uncertainty, largest] = [0, 0, 0];
  for (const { weight, estimate } of kept) {
    const pi = Math.min(1, weight / estimate);
    sample.add(weight, pi);
    if (pi === 1) continue;
    draws += 1;
    uncertainty += 1 - pi;
    largest = Math.max(largest, estimate);
  }
  return { totals: { ...sample.totals(), largest }, draws, uncertainty };
}

/** What is above the threshold is known exactly, and the others stand for it all alike: they are equals. */
const equals = (draws: number) => ({ weights: draws, squaredWeights: draws });
