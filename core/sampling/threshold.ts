/**
 * The one model of sampling: an event with randomness R (56 bits) is kept iff R >= T.
 *
 * T, the rejection threshold, counts how many of the 2^56 values of R are rejected, so the
 * probability of being kept is π = (2^56 - T) / 2^56 and a kept event stands for 1/π. Thresholds are
 * `bigint` here; on hot paths they are read as two 32-bit halves of the word that every event
 * carries (`epoch << 56 | T`), and no BigInt is made.
 */
import { ConfigError } from "#core/config/config_error.ts";

/** Values of R and T: 0 <= R, T < 2^56. */
export const THRESHOLD_LIMIT = 1n << 56n;
export const THRESHOLD_MASK = THRESHOLD_LIMIT - 1n;
/** Keeps everything. */
export const KEEP_ALL = 0n;
/** Keeps one event in 2^56: as near to nothing as a probability goes. */
export const KEEP_LEAST = THRESHOLD_MASK;
export const EPOCHS = 256;

const LIMIT = 2 ** 56;
const TWO_32 = 2 ** 32;

/** Throws `ConfigError` unless `rate` is a number from 0 to 1. */
export function requireRate(rate: number, path: readonly (string | number)[]): void {
  if (typeof rate === "number" && rate >= 0 && rate <= 1) return;
  throw new ConfigError(
    path,
    `a sampling rate of ${rate} is no probability`,
    "give one from 0 to 1",
  );
}

/**
 * The threshold that keeps a fraction `rate`: exact for every double of 2^-3 and more, else to the
 * nearest 2^-56. A rate of 0 becomes the least probability there is, 2^-56: an event that could
 * never be kept could not be estimated either. Throws `ConfigError` unless 0 <= rate <= 1.
 */
export function thresholdFromRate(rate: number, path: readonly (string | number)[] = []): bigint {
  requireRate(rate, path);
  // A product with a power of two is exact; only the rounding to an integer may lose anything.
  const kept = BigInt(Math.round(rate * LIMIT));
  return THRESHOLD_LIMIT - (kept === 0n ? 1n : kept);
}

/** The probability of being kept, correctly rounded. */
export function rateFromThreshold(threshold: bigint): number {
  return Number(THRESHOLD_LIMIT - threshold) / LIMIT;
}

/** What one kept event stands for ("adjusted count"), 1/π. */
export function weightFromThreshold(threshold: bigint): number {
  return LIMIT / Number(THRESHOLD_LIMIT - threshold);
}

/** The decision itself. */
export function isKept(randomness: bigint, threshold: bigint): boolean {
  return randomness >= threshold;
}

/** The word of the kernel's table and of every event. */
export function packWord(epoch: number, threshold: bigint): bigint {
  return (BigInt(epoch & 0xff) << 56n) | threshold;
}

export function epochOfWord(word: bigint): number {
  return Number(word >> 56n) & 0xff;
}

export function thresholdOfWord(word: bigint): bigint {
  return word & THRESHOLD_MASK;
}

/** π from the two unsigned halves of a word, correctly rounded; the epoch is ignored. */
export function rateFromHalves(low: number, high: number): number {
  return keptFromHalves(low, high) / LIMIT;
}

/** 1/π from the two unsigned halves of a word; the epoch is ignored. */
export function weightFromHalves(low: number, high: number): number {
  return LIMIT / keptFromHalves(low, high);
}

/** 2^56 - T: the first product is exact, so there is one rounding. */
function keptFromHalves(low: number, high: number): number {
  return (0x1000000 - (high & 0xffffff)) * TWO_32 - low;
}
