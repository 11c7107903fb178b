/**
 * Products and differences without the rounding of a double: where a result is the small
 * difference of large numbers, that rounding is the whole error.
 */

const SPLITTER = 134217729;

/** The rounding error of `a * b`: `a * b + productError(a, b)` is exact below 1e290. */
export function productError(a: number, b: number): number {
  const product = a * b;
  const a_scaled = SPLITTER * a;
  const b_scaled = SPLITTER * b;
  const a_high = a_scaled - (a_scaled - a);
  const b_high = b_scaled - (b_scaled - b);
  const a_low = a - a_high;
  const b_low = b - b_high;
  return a_low * b_low - (product - a_high * b_high - a_low * b_high - a_high * b_low);
}

/** The rounding error of `a + b`: `a + b + sumError(a, b)` is exact. */
export function sumError(a: number, b: number): number {
  const sum = a + b;
  const b_seen = sum - a;
  return a - (sum - b_seen) + (b - b_seen);
}

/** `(a + b) * x - c`, as if computed exactly and rounded once. */
export function sumTimesMinus(a: number, b: number, x: number, c: number): number {
  const sum = a + b;
  const product = sum * x;
  return product - c + (productError(sum, x) + sumError(a, b) * x);
}
