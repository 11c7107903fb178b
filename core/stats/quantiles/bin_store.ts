/** Weights of numbered bins, of which at most a fixed number next to each other are kept. */

const EMPTY = -1;

/**
 * A window of bins over a ring of fixed size. When a new highest bin does not fit, the lowest bins
 * collapse into the lowest kept one, so the high end keeps its accuracy. What is kept depends on
 * the highest bin alone, not on the order of additions.
 */
export class BinStore {
  readonly #weights: Float64Array;
  readonly #mask: number;
  #low = 0;
  #high = EMPTY;
  #total = 0;
  #collapsed = false;

  /** `capacity` is a power of two. */
  constructor(capacity: number) {
    this.#weights = new Float64Array(capacity);
    this.#mask = capacity - 1;
  }

  get isEmpty(): boolean {
    return this.#total === 0;
  }

  /** Lowest bin kept; meaningless while empty. */
  get low(): number {
    return this.#low;
  }

  /** Highest bin; meaningless while empty. */
  get high(): number {
    return this.#high;
  }

  /** Sum of all weights. */
  get total(): number {
    return this.#total;
  }

  /** Whether the lowest bin holds weight of bins below it. */
  get hasCollapsed(): boolean {
    return this.#collapsed;
  }

  weightAt(bin: number): number {
    if (this.isEmpty || bin < this.#low || bin > this.#high) return 0;
    return this.#weights[bin & this.#mask]!;
  }

  add(bin: number, weight: number): void {
    if (this.isEmpty) {
      this.#low = bin;
      this.#high = bin;
    } else if (bin > this.#high) {
      this.#raise(bin);
    } else if (bin < this.#low) {
      this.#lower(bin);
    }
    const kept = bin < this.#low ? this.#low : bin;
    this.#weights[kept & this.#mask]! += weight;
    this.#total += weight;
  }

  merge(other: BinStore): void {
    if (other.isEmpty) return;
    // The highest bin first: it alone decides what collapses.
    for (let bin = other.#high; bin >= other.#low; bin -= 1) {
      const weight = other.#weights[bin & other.#mask]!;
      if (weight > 0) this.add(bin, weight);
    }
    this.#collapsed ||= other.#collapsed;
  }

  clear(): void {
    this.#weights.fill(0);
    this.#high = EMPTY;
    this.#low = 0;
    this.#total = 0;
    this.#collapsed = false;
  }

  #raise(high: number): void {
    const low = Math.max(this.#low, high - this.#mask);
    let moved = 0;
    for (let bin = this.#low; bin < low && bin <= this.#high; bin += 1) {
      moved += this.#weights[bin & this.#mask]!;
      this.#weights[bin & this.#mask] = 0;
    }
    this.#low = low;
    this.#high = high;
    if (moved === 0) return;
    this.#weights[low & this.#mask]! += moved;
    this.#collapsed = true;
  }

  #lower(bin: number): void {
    const lowest = this.#high - this.#mask;
    this.#low = Math.max(bin, lowest);
    if (bin < lowest) this.#collapsed = true;
  }
}
