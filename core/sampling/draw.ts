/** The kernel's decision R >= T with its draws of 32 bits, for experiments that decide millions of times. */
import { rateFromThreshold } from "./threshold.ts";

/** R and T have 56 bits; the first draw gives the upper 32, and decides nearly always. */
const LOW_BITS = 24n;

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
    high: Number(threshold >> LOW_BITS),
    low: Number(threshold & ((1n << LOW_BITS) - 1n)),
  };
}

/** `draw` yields unsigned words of 32 bits; asked a second time only where the first decides nothing. */
export function drawKeeps(draw: () => number, { high, low }: DrawThreshold): boolean {
  const first = draw();
  return first !== high ? first > high : draw() >>> 8 >= low;
}
