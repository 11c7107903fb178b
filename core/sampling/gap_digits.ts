/**
 * Gaps between candidates of the sampling decision, as `bpf/include/bpf_sampling.h` draws them.
 *
 * The binary digits of a geometric number with q = 1 - p are independent, and digit j is 1 with
 * probability q^(2^j) / (1 + q^(2^j)): P(gap = g) = q^g p is a product over the digits of g.
 */
import { THRESHOLD_LIMIT } from "./threshold.ts";

const BITS = 56;
/** Gaps to candidates more frequent than 1 in 16 cost more draws than they save. */
const SKIP_BITS_MIN = 4;
/** `SAMPLING_SKIP_BITS_MAX`. */
export const SKIP_BITS_MAX = 16;
/** `SAMPLING_GAP_DIGITS`. */
export const GAP_DIGITS = 21;

/**
 * Ones that T begins with, as far as gaps are drawn for them: the largest n of at most 16 with π <= 2^-n;
 * 0 where R is drawn for each event.
 */
export function skipBits(threshold: bigint): number {
  let bits = 0;
  while (bits < SKIP_BITS_MAX && threshold >= THRESHOLD_LIMIT - (1n << BigInt(BITS - bits - 1))) {
    bits++;
  }
  return bits < SKIP_BITS_MIN ? 0 : bits;
}

/**
 * 2^32 times the probability that digit `place` of a gap is 1, where candidates have probability 2^-`bits`.
 * Rounded: the probability of a candidate is off by less than 1e-8 of itself.
 */
export function gapDigit(bits: number, place: number): number {
  const power = Math.exp(2 ** place * Math.log1p(-(2 ** -bits)));
  return Math.round((2 ** 32 * power) / (1 + power));
}
