/** How long to wait before the next attempt: exponential, with jitter, within bounds. */

export interface Backoff {
  readonly first_ms: number;
  readonly max_ms: number;
}

/** `attempt` counts from 0; `random` is uniform on [0, 1). A destination's own wish is a lower bound. */
export function backoff_ms(
  { first_ms, max_ms }: Backoff,
  attempt: number,
  random: number,
  wanted_ms = 0,
): number {
  const exponential = Math.min(max_ms, first_ms * 2 ** Math.min(attempt, 30));
  // Half of it at least: retries of many senders spread over the other half.
  return Math.min(max_ms, Math.max(wanted_ms, exponential * (0.5 + 0.5 * random)));
}
