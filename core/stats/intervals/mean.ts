/** Student's interval for a mean. */

import { BpfError, ERRNO } from "#core/errors.ts";
import { requirePositive } from "../check_argument.ts";
import { studentTUpperQuantile } from "../distributions/student_t.ts";
import { type Interval, tailProbability } from "./interval.ts";

/**
 * mean ± t · standard error, with `degrees` of freedom: the sample size - 1, or the effective size
 * - 1 with weights. Values with heavy tails need a large effective size before it covers.
 */
export function meanInterval(
  mean: number,
  standard_error: number,
  degrees: number,
  confidence: number,
): Interval {
  const tail = tailProbability("mean interval", confidence);
  requirePositive("mean interval", "degrees", degrees);
  const usable = standard_error >= 0 && standard_error < Number.POSITIVE_INFINITY;
  if (!usable || !Number.isFinite(mean)) {
    throw new BpfError("mean interval", `mean ${mean} with standard error ${standard_error}`, {
      errno: ERRNO.EINVAL,
      hint: "give finite numbers from at least two values",
    });
  }
  const half = standard_error === 0 ? 0 : standard_error * studentTUpperQuantile(tail, degrees);
  return { estimate: mean, lower: mean - half, upper: mean + half };
}
