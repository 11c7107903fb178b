/** `u - log(1 + u)`, the building block of every deviance (relative entropy). */

/**
 * `u - log(1 + u)` for u > -1, to full relative accuracy: at least 0, about u²/2 near 0.
 * `ratio` is 1 + u; give it where it is known better than the sum (u near -1).
 */
export function log1pExcess(u: number, ratio: number = 1 + u): number {
  if (u < -0.3 || u > 0.4) return u - Math.log(ratio);
  const r = u / (2 + u);
  const square = r * r;
  let power = r * square;
  let sum = 0;
  for (let k = 3; k < 60; k += 2) {
    const next = sum + power / k;
    if (next === sum) break;
    sum = next;
    power *= square;
  }
  return u * r - 2 * sum;
}
