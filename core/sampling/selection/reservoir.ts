/** A uniform sample of k items out of a stream of unknown length: algorithm R (Waterman; Vitter 1985). */
import { requireSampleSize } from "./sample_size.ts";

export class Reservoir<Item> {
  readonly k: number;
  readonly #items: Item[] = [];
  readonly #below: (limit: number) => number;
  #offered = 0;

  /** `below(n)` is uniform on the whole numbers from 0 to n - 1. */
  constructor(k: number, below: (limit: number) => number) {
    requireSampleSize(k);
    this.k = k;
    this.#below = below;
  }

  get offered(): number {
    return this.#offered;
  }

  offer(item: Item): void {
    this.#offered += 1;
    if (this.#items.length < this.k) {
      this.#items.push(item);
      return;
    }
    const place = this.#below(this.#offered);
    if (place < this.k) this.#items[place] = item;
  }

  /** The items, in no order. */
  sample(): readonly Item[] {
    return this.#items;
  }

  /** Probability with which each item of the stream so far is in the sample. */
  get rate(): number {
    return this.#offered <= this.k ? 1 : this.k / this.#offered;
  }
}
