/** What every interval function takes and returns. */

import { requireConfidence } from "../check_argument.ts";

/** An interval with its point estimate. Proportions lie in [0, 1]. */
export interface Interval {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
}

/** The probability outside on each side, (1 - confidence) / 2; refuses confidence outside (0, 1). */
export function tailProbability(operation: string, confidence: number): number {
  requireConfidence(operation, confidence);
  return (1 - confidence) / 2;
}
