import type { Estimate } from "./estimate.ts";

/** What needs no estimate, however few of its events were sampled or arrived. */
export function exactEstimate(
  value: number,
  sampled: number,
  effectiveSize: number = sampled,
): Estimate {
  return {
    ...{ value, lower: value, upper: value, method: "exact" },
    ...{ variance: 0, standardError: 0 },
    ...{ sampled, effectiveSize },
    ...{ reasons: [], warning: undefined },
  };
}
