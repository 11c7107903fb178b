/**
 * Weighted sampling of fixed size without any variance of the total (VarOpt_k: Cohen, Duffield, Kaplan, Lund, Thorup
 * 2011). Each event is kept with probability min(1, w/τ), where τ makes these add up to k, and then stands for
 * max(w, τ). The estimates of the kept always add up to the exact total, no two are positively correlated, and the
 * mean variance of a part's total is the least that any sample of k can have.
 *
 * Unlike `PrioritySample` it keeps exactly k, and it draws as events come: merging draws too.
 */
import { ExactSum } from "../../stats/exact_sum.ts";
import { CONFIDENCE_DEFAULT, type Estimate } from "../estimators/estimate.ts";
import { exactEstimate } from "../estimators/exact_estimate.ts";
import { Heap } from "./heap.ts";
import { requireSampleSize } from "./sample_size.ts";
import { estimatePartOfWeights, requireWeight, type WeightedItem } from "./weighted_items.ts";

/** Where a sample's choices come from. */
export interface VarOptRandom {
  /** True with probability `p`, from 0 to 1. */
  chance(p: number): boolean;
  /** Uniform on the whole numbers from 0 to `limit` - 1. */
  below(limit: number): number;
}

interface Entry<Item> {
  readonly item: Item;
  readonly weight: number;
  /** What it stands for; that of a light one is τ. */
  readonly estimate: number;
}

export class VarOptSample<Item> {
  readonly k: number;
  readonly #random: VarOptRandom;
  /** Kept for certain so far, the least estimate at hand. */
  readonly #heavy = new Heap<Entry<Item>>((left, right) => left.estimate < right.estimate);
  /** The others; each stands for τ. */
  readonly #light: Entry<Item>[] = [];
  #threshold = 0;

  /** Throws `BpfError` EINVAL unless `k` is a whole number from 1. */
  constructor(k: number, random: VarOptRandom) {
    requireSampleSize(k);
    this.k = k;
    this.#random = random;
  }

  /** τ; 0 while everything is kept. */
  get threshold(): number {
    return this.#threshold;
  }

  /** An event; one of weight 0 is never kept. Throws `BpfError` EINVAL unless the weight is finite and not below 0. */
  offer(weight: number, item: Item): void {
    requireWeight(weight);
    if (weight === 0) return;
    const threshold = this.#thresholdAmongLight(weight);
    if (threshold === undefined) {
      this.#take({ item, weight, estimate: weight });
      return;
    }
    this.#threshold = threshold;
    // Most of a long stream ends here, and costs no object.
    if (this.#random.chance(1 - weight / threshold)) return;
    this.#light[this.#random.below(this.#light.length)] = { item, weight, estimate: weight };
  }

  /**
   * Takes in the sample of another part of the stream, whose events come with what they stand for there. Estimates stay
   * unbiased and add up to the exact total of both.
   */
  merge(other: VarOptSample<Item>): void {
    for (const { item, weight, estimate } of other.sample()) this.#take({ item, weight, estimate });
  }

  /** The new τ where it concerns the light events and this one only, which is light too; undefined elsewhere. */
  #thresholdAmongLight(weight: number): number | undefined {
    const light = this.#light.length;
    if (light === 0 || weight > this.#threshold) return undefined;
    const threshold = this.#threshold + weight / light;
    const heavy = this.#heavy.least;
    return heavy === undefined || heavy.estimate > threshold ? threshold : undefined;
  }

  /** Any event: it is kept for now, and where that makes k + 1, one of those below the new τ goes. */
  #take(entry: Entry<Item>): void {
    const heavy = this.#heavy;
    const light = this.#light;
    const moved: Entry<Item>[] = [];
    if (entry.estimate > this.#threshold) heavy.push(entry);
    else moved.push(entry);
    // While there is room τ is 0, and all are heavy.
    if (heavy.size + light.length + moved.length <= this.k) return;
    let total =
      this.#threshold * light.length + moved.reduce((sum, each) => sum + each.estimate, 0);
    let count = light.length + moved.length;
    while (heavy.size > 0 && (count < 2 || total >= (count - 1) * heavy.least!.estimate)) {
      const least = heavy.pop()!;
      moved.push(least);
      total += least.estimate;
      count += 1;
    }
    this.#threshold = total / (count - 1);
    this.#drop(moved);
    light.push(...moved);
  }

  /** Leaves one out, each with probability 1 - estimate/τ: of `moved`, or else a light one, which are all alike. */
  #drop(moved: Entry<Item>[]): void {
    let rest = 1;
    for (const [i, { estimate }] of moved.entries()) {
      const drop = Math.max(0, 1 - estimate / this.#threshold);
      const isLast = this.#light.length === 0 && i === moved.length - 1;
      if (isLast || this.#random.chance(Math.min(1, drop / rest))) {
        moved.splice(i, 1);
        return;
      }
      rest -= drop;
    }
    const place = this.#random.below(this.#light.length);
    this.#light[place] = this.#light.at(-1)!;
    this.#light.pop();
  }

  /** Kept events with what each stands for. */
  sample(): WeightedItem<Item>[] {
    const threshold = this.#threshold;
    const light = this.#light.map(({ item, weight }) => ({ item, weight, estimate: threshold }));
    return [...this.#heavy.items, ...light];
  }

  /** Total of the weights of all events that were offered, which is known exactly. */
  total(): Estimate {
    const kept = this.sample();
    const sum = new ExactSum();
    for (const { estimate } of kept) sum.add(estimate);
    return exactEstimate(sum.value, kept.length);
  }

  /** Sum of the weights of the events for which `belongs` holds. */
  subset(belongs: (item: Item) => boolean, confidence = CONFIDENCE_DEFAULT): Estimate {
    const kept = this.sample();
    const part = kept.filter(({ item }) => belongs(item));
    return estimatePartOfWeights(part, kept, confidence);
  }
}
