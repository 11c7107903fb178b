/** A rate and a burst as the kernel's bucket has them. */
import type { RateLimit } from "./rate_limit_config.ts";

/** `RATE_LIMIT_SHIFT`: times of buckets are in 1/256 ns. */
export const UNITS_PER_S = 256e9;
export const TIME_SHIFT = 8n;

export interface CompiledLimit {
  /** Between two events; rounded up, so that the rate is met from below. 0: no limit. */
  readonly interval: bigint;
  /** Credit of an idle bucket, and what it may have beyond before it is put right. */
  readonly credit: bigint;
  readonly slack: bigint;
}

export const UNLIMITED: CompiledLimit = { interval: 0n, credit: 0n, slack: 0n };

/** A tenth of a second's events, at least one. */
export function burstOf({ events_per_s, burst }: RateLimit): number {
  return burst ?? Math.max(1, Math.floor(events_per_s / 10));
}

/** Credit and slack together hold all of the burst but the event that finds them. */
export function compileLimit(limit: RateLimit | undefined): CompiledLimit {
  if (limit === undefined) return UNLIMITED;
  const interval = BigInt(Math.ceil(UNITS_PER_S / limit.events_per_s));
  const whole = BigInt(burstOf(limit) - 1) * interval;
  const slack = whole / 8n;
  return { interval, credit: whole - slack, slack };
}

/**
 * The most that a bucket admits in a window: what the burst and the rate allow, and one event for each CPU that
 * read the bucket before the others had added to it.
 */
export function admittedAtMost(limit: RateLimit, window_ns: number, cpus: number): number {
  return burstOf(limit) + (limit.events_per_s * window_ns) / 1e9 + cpus;
}
