/**
 * A sample of fixed size: the k events with the largest randomness. Two samples of parts of a stream merge to
 * exactly the sample of the whole, in any order, because "the k largest" does not depend on how one gets there.
 *
 * Given the (k+1)-th largest R, each of the k was kept iff its own R is above it, so they can be weighed as if T
 * = R(k+1) + 1 had been fixed beforehand (Ting, Adaptive Threshold Sampling, 2017).
 */
import { Heap } from "./heap.ts";
import { requireSampleSize } from "./sample_size.ts";

/** R in two parts: `high` are its upper 32 bits of 56, `low` the other 24. */
export interface Ranked<Item> {
  readonly high: number;
  readonly low: number;
  readonly item: Item;
}

const LOW = 2 ** 24;

type Rank = Omit<Ranked<unknown>, "item">;

function isBelow(left: Rank, right: Rank): boolean {
  return left.high !== right.high ? left.high < right.high : left.low < right.low;
}

export class BottomK<Item> {
  readonly k: number;
  /** At most k + 1, the smallest R first: one more than k is kept, the threshold of the others. */
  readonly #heap = new Heap<Ranked<Item>>(isBelow);
  #offered = 0;

  /** Throws `BpfError` EINVAL unless `k` is a whole number from 1. */
  constructor(k: number) {
    requireSampleSize(k);
    this.k = k;
  }

  get offered(): number {
    return this.#offered;
  }

  /** Whether an event with this R would have a place in the sample, as it is now, or in its threshold. */
  admits(high: number, low: number): boolean {
    const smallest = this.#heap.least;
    if (smallest === undefined || this.#heap.size <= this.k) return true;
    return high > smallest.high || (high === smallest.high && low > smallest.low);
  }

  offer(high: number, low: number, item: Item): void {
    this.#offered += 1;
    // Most of a long stream ends here, and costs no object.
    if (this.admits(high, low)) this.#push({ high, low, item });
  }

  /** Takes in the sample of another part of the stream. */
  merge(other: BottomK<Item>): void {
    this.#offered += other.#offered;
    for (const each of [...other.#heap.items]) this.#push(each);
  }

  #push(entry: Ranked<Item>): void {
    const heap = this.#heap;
    if (heap.size <= this.k) heap.push(entry);
    else if (isBelow(heap.least!, entry)) heap.replaceLeast(entry);
  }

  /** The sample, the largest R first. */
  sample(): readonly Ranked<Item>[] {
    const sorted = [...this.#heap.items].sort((left, right) => (isBelow(left, right) ? 1 : -1));
    return sorted.slice(0, this.k);
  }

  /** T that the sample's events have in common; 0 while everything is kept. */
  threshold(): bigint {
    const smallest = this.#heap.least;
    if (smallest === undefined || this.#heap.size <= this.k) return 0n;
    return BigInt(smallest.high) * BigInt(LOW) + BigInt(smallest.low) + 1n;
  }
}
