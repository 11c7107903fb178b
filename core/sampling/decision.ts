/**
 * The decision of `bpf/include/bpf_sampling.h` in TypeScript: the same table, the same classes, the same
 * order. For experiments and for user space; the kernel's own is tested against it.
 */

/** `enum sampling_class`; an event belongs to the highest that applies. */
export const SAMPLING_CLASS = { base: 0, priority: 1, slow: 2, error: 3 } as const;
export const CLASSES = 4;
/** Types from here on share a row. */
export const TYPES = 8;
export const STRATA = TYPES * CLASSES;

/** What T depends on. */
export interface SamplingFacts {
  readonly type: number;
  readonly priority: number;
  /** Undefined where it is not known. */
  readonly latency_ns: number | undefined;
  readonly error: boolean;
}

/** One set of rules, as the kernel has it. */
export interface SamplingRules {
  /** 0: nothing is slow. */
  readonly slow_ns: number;
  /** Above 9: nothing is boosted. */
  readonly priorityFrom: number;
  readonly consistent: boolean;
  /** T by stratum (`type * CLASSES + class`). */
  readonly thresholds: readonly bigint[];
}

export const KEEP_EVERYTHING: SamplingRules = {
  slow_ns: 0,
  priorityFrom: 10,
  consistent: false,
  thresholds: new Array<bigint>(STRATA).fill(0n),
};

export function classOf(rules: SamplingRules, facts: SamplingFacts): number {
  if (facts.error) return SAMPLING_CLASS.error;
  const { slow_ns } = rules;
  if (slow_ns > 0 && facts.latency_ns !== undefined && facts.latency_ns >= slow_ns) {
    return SAMPLING_CLASS.slow;
  }
  return facts.priority >= rules.priorityFrom ? SAMPLING_CLASS.priority : SAMPLING_CLASS.base;
}

export function stratumOf(rules: SamplingRules, facts: SamplingFacts): number {
  return (facts.type % TYPES) * CLASSES + classOf(rules, facts);
}

/** T of the event's stratum; it is kept iff R >= T. */
export function thresholdOf(rules: SamplingRules, facts: SamplingFacts): bigint {
  return rules.thresholds[stratumOf(rules, facts)]!;
}
