/**
 * The kernel's decision R >= T with its draws of 32 bits, for experiments that decide millions of times: the same
 * number of draws in the same order, so that the same generator keeps the same events.
 */
import { STRATA } from "./decision.ts";
import { GAP_DIGITS, gapDigit, SKIP_BITS_MAX, skipBits } from "./gap_digits.ts";
import { rateFromThreshold } from "./threshold.ts";

/** R and T have 56 bits; the first draw gives the upper 32, and rejects nearly all that is to be rejected. */
const LOW_BITS = 24;
const LOW_MASK = 2 ** LOW_BITS - 1;
const WORD_MASK = 0xffffffff;

/** By the number of ones that candidates begin with; digits that are never 1 left out. */
const DIGITS = Array.from({ length: SKIP_BITS_MAX + 1 }, (_, bits) =>
  Array.from({ length: GAP_DIGITS }, (_, place) => gapDigit(bits, place)).filter((one) => one > 0),
);

/** A threshold as draws are compared with it. */
export interface DrawThreshold {
  /** The probability of being kept. */
  readonly pi: number;
  /** Upper 32 bits. */
  readonly high: number;
  /** The other 24. */
  readonly low: number;
  /** Ones that R of a candidate begins with; 0: every event is one. */
  readonly skipBits: number;
}

export function drawThreshold(threshold: bigint): DrawThreshold {
  return {
    pi: rateFromThreshold(threshold),
    high: Number(threshold >> BigInt(LOW_BITS)),
    low: Number(threshold & BigInt(LOW_MASK)),
    skipBits: skipBits(threshold),
  };
}

/** Decides on a stream of events; of one that is kept, the two parts of R stand here until the next. */
export class Draw {
  /** Upper 32 bits of R. */
  high = 0;
  /** The other 24. */
  low = 0;
  readonly #random: { u32(): number };
  /** By stratum: the number of its next candidate, 0 where it is not drawn. */
  readonly #candidates = new Float64Array(STRATA);

  constructor(random: { u32(): number }) {
    this.#random = random;
  }

  /** Other rules are in force: gaps begin anew. */
  restart(): void {
    this.#candidates.fill(0);
  }

  /** Decides on event number `seen` of its stratum, from 1. */
  decides(stratum: number, seen: number, threshold: DrawThreshold): boolean {
    const candidates = this.#candidates;
    if (seen < candidates[stratum]!) return false;
    const bits = threshold.skipBits;
    if (bits === 0) return this.keeps(threshold);
    if (candidates[stratum] === 0) {
      candidates[stratum] = seen + this.#gap(bits);
      if (candidates[stratum]! > seen) return false;
    }
    const keep = this.keeps(threshold);
    candidates[stratum] = seen + 1 + this.#gap(bits);
    return keep;
  }

  /** Draws R of a candidate. */
  keeps({ high, low, skipBits: bits }: DrawThreshold): boolean {
    const first = (this.#random.u32() | ~(WORD_MASK >>> bits)) >>> 0;
    if (first < high) return false;
    this.high = first;
    this.low = this.#random.u32() & LOW_MASK;
    return first > high || this.low >= low;
  }

  #gap(bits: number): number {
    let gap = 0;
    DIGITS[bits]!.forEach((one, place) => {
      if (this.#random.u32() < one) gap += 2 ** place;
    });
    return gap;
  }
}
