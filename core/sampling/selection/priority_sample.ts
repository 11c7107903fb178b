/**
 * Weighted sampling of fixed size (priority sampling: Duffield, Lund, Thorup 2007). An event of weight w gets the
 * priority w/u with u uniform on (0, 1]; the k largest are kept, and τ is the (k+1)-th. A kept event then stands for
 * max(w, τ) of weight, an unbiased estimate, whose variance is estimated by τ max(0, τ - w).
 *
 * For sums of heavy-tailed values it is far better than any uniform sample of that size: Var Ŵ ≤ W²/(k - 1) for every
 * set of weights. The original report's "priority" boosts a rate and is something else: `strategy: priority`.
 */
import { CONFIDENCE_DEFAULT, type Estimate } from "../estimators/estimate.ts";
import { requireSampleSize } from "./sample_size.ts";
import { estimateWeights, requireWeight, type WeightedItem } from "./weighted_items.ts";

interface Entry<Item> {
  readonly priority: number;
  readonly weight: number;
  readonly item: Item;
}

export class PrioritySample<Item> {
  readonly k: number;
  /** At most k + 1, sorted by priority, the largest first. */
  #entries: Entry<Item>[] = [];

  constructor(k: number) {
    requireSampleSize(k);
    this.k = k;
  }

  /** `u` uniform on (0, 1]; a weight of 0 is never kept and needs no estimate. */
  offer(weight: number, u: number, item: Item): void {
    requireWeight(weight);
    const priority = weight / u;
    // Most of a long stream ends here, and costs no object.
    if (weight > 0 && this.#mayEnter(priority)) this.#insert({ priority, weight, item });
  }

  merge(other: PrioritySample<Item>): void {
    for (const entry of other.#entries) if (this.#mayEnter(entry.priority)) this.#insert(entry);
  }

  #mayEnter(priority: number): boolean {
    return this.#entries.length <= this.k || priority > this.#entries.at(-1)!.priority;
  }

  #insert(entry: Entry<Item>): void {
    const entries = this.#entries;
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (entries[middle]!.priority >= entry.priority) low = middle + 1;
      else high = middle;
    }
    entries.splice(low, 0, entry);
    if (entries.length > this.k + 1) entries.pop();
  }

  /** τ; 0 while everything is kept. */
  threshold(): number {
    return this.#entries.length > this.k ? this.#entries[this.k]!.priority : 0;
  }

  /** Kept events with the weight that each stands for. */
  sample(): WeightedItem<Item>[] {
    const tau = this.threshold();
    return this.#entries
      .slice(0, this.k)
      .map(({ item, weight }) => ({ item, weight, estimate: Math.max(weight, tau) }));
  }

  /** Sum of the weights of all events for which `belongs` holds; default of all. */
  total(belongs: (item: Item) => boolean = () => true, confidence = CONFIDENCE_DEFAULT): Estimate {
    return estimateWeights(
      this.sample().filter(({ item }) => belongs(item)),
      confidence,
    );
  }
}
