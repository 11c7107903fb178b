/**
 * The kernel's decision R >= T with its draws of 32 bits, for experiments that decide millions of times: the same
 * number of draws in the same order, so that the same generator keeps the same events.
 */
import { rateFromThreshold } from "./threshold.ts";

/** R and T have 56 bits; the first draw gives the upper 32, and rejects nearly all that is to be rejected. */
const LOW_BITS = 24;
const LOW_MASK = 2 ** LOW_BITS - 1;

/** A threshold as draws are compared with it. */
export interface DrawThreshold {
  /** The probability of being kept. */
  readonly pi: number;
  /** Upper 32 bits. */
  readonly high: number;
  /** The other 24. */
  readonly low: number;
}

export function drawThreshold(threshold: bigint): DrawThreshold {
  return {
    pi: rateFromThreshold(threshold),
    high: Number(threshold >> BigInt(LOW_BITS)),
    low: Number(threshold & BigInt(LOW_MASK)),
  };
}

/** Draws R; of an event that is kept, its two parts stand here until the next. */
export class Draw {
  /** Upper 32 bits of R. */
  high = 0;
  /** The other 24. */
  low = 0;
  readonly #random: { u32(): number };

  constructor(random: { u32(): number }) {
    this.#random = random;
  }

  keeps({ high, low }: DrawThreshold): boolean {
    const first = this.#random.u32();
    if (first < high) return false;
    this.high = first;
    this.low = this.#random.u32() & LOW_MASK;
    return first > high || this.low >= low;
  }
}
