/** The logarithm of the beta function. */

import { requirePositive } from "../check_argument.ts";
import { stirlingError } from "./stirling_error.ts";

const LOG_TWO_PI = 1.8378770664093456;

/**
 * log B(a, b) = log(Γ(a) Γ(b) / Γ(a + b)), a and b > 0. Not the difference of three log-gammas,
 * which at b = 1e7 would have lost half of the digits.
 */
export function logBeta(a: number, b: number): number {
  requirePositive("logBeta", "a", a);
  requirePositive("logBeta", "b", b);
  const stirling = stirlingError(a) + stirlingError(b) - stirlingError(a + b);
  const powers = -a * Math.log1p(b / a) - b * Math.log1p(a / b);
  return powers + 0.5 * (LOG_TWO_PI + Math.log1p(b / a) - Math.log(b)) + stirling;
}
