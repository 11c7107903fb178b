/** The inverse of the regularised incomplete beta function. */

import { betaPowerTerm, incompleteBeta } from "./incomplete_beta.ts";
import { invertTail, type TailAt } from "./invert_tail.ts";

function betaAt(a: number, b: number, x: number): TailAt {
  const y = 1 - x;
  if (y <= 0) return { lower: 1, upper: 0, slope: 0 };
  const { lower, upper } = incompleteBeta(a, b, x, y);
  return { lower, upper, slope: betaPowerTerm(a, b, x, y) / y };
}

/**
 * The x with I_x(a, b) = p, for a, b > 0 and q = 1 - p; the smaller of p and q is met relative to
 * itself. Points above 1/2 are found as 1 - y from the mirrored function.
 */
export function incompleteBetaInverse(a: number, b: number, p: number, q: number): number {
  if (p <= 0) return 0;
  if (q <= 0) return 1;
  const half = incompleteBeta(a, b, 0.5, 0.5);
  const below_half = p <= q ? p <= half.lower : q >= half.upper;
  if (below_half) {
    return invertTail(p, q, Math.min(0.5, a / (a + b)), (x) => betaAt(a, b, x));
  }
  return 1 - invertTail(q, p, Math.min(0.5, b / (a + b)), (y) => betaAt(b, a, y));
}
