import { productError } from "./special/double_double.ts";

/**
 * Sums without rounding (Shewchuk 1997): what is read is the exact sum of everything added, rounded once. It
 * does not depend on the order of additions, so sums of parts, merged, are that of the whole to the last bit.
 */
export class ExactSum {
  /** Doubles whose exact sum it is: none overlaps another, the smallest first. Rarely more than three. */
  readonly #partials: number[] = [];

  /** Adds a finite value. Allocates nothing once as many partials were needed before. */
  add(value: number): void {
    const partials = this.#partials;
    let sum = value;
    let kept = 0;
    for (let i = 0; i < partials.length; i++) {
      const partial = partials[i]!;
      const high = sum + partial;
      const seen = high - sum;
      // Exact whichever of the two is larger.
      const rest = sum - (high - seen) + (partial - seen);
      if (rest !== 0) partials[kept++] = rest;
      sum = high;
    }
    if (kept === partials.length) partials.push(sum);
    else {
      partials[kept] = sum;
      while (partials.length > kept + 1) partials.pop();
    }
  }

  /** Adds a finite value below 1e290 so many times. */
  addTimes(value: number, times: number): void {
    this.add(value * times);
    if (times !== 1) this.add(productError(value, times));
  }

  /** Adds what `other` holds; `other` keeps it. */
  merge(other: ExactSum): void {
    // A copy of the bound: a sum may be added to itself.
    for (const partial of [...other.#partials]) this.add(partial);
  }

  /** The sum, correctly rounded. */
  get value(): number {
    const partials = this.#partials;
    let at = partials.length - 1;
    if (at < 0) return 0;
    let high = partials[at]!;
    let low = 0;
    while (at > 0 && low === 0) {
      at -= 1;
      const before = high;
      high = before + partials[at]!;
      low = partials[at]! - (high - before);
    }
    // Halfway between two doubles, the next partial decides (as Python's math.fsum has it).
    const next = at > 0 ? partials[at - 1]! : 0;
    if ((low < 0 && next < 0) || (low > 0 && next > 0)) {
      const twice = low * 2;
      const other = high + twice;
      if (other - high === twice) return other;
    }
    return high;
  }
}
