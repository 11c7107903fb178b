/** The `rate_limits:` section of the configuration. */
import { z } from "zod";

/** Intervals are kept in 1/256 ns; up to here they are exact within 1 %. */
export const RATE_MAX = 1e7;
export const RATE_MIN = 0.001;
export const BURST_MAX = 1_000_000;

const limit = z
  .strictObject({
    events_per_s: z
      .number()
      .min(RATE_MIN)
      .max(RATE_MAX)
      .describe("Events a second that are admitted in the long run."),
    burst: z
      .int()
      .min(1)
      .max(BURST_MAX)
      .optional()
      .describe("Events that may come at once; default a tenth of a second's, at least one."),
  })
  .describe("A rate with a burst.");

/** Keys by their places in `enum rate_limit_key`. */
export const RATE_LIMIT_KEYS = [
  "per_program",
  "per_event_type",
  "per_pid",
  "per_cgroup",
  "per_remote_address",
] as const;

export type RateLimitKey = (typeof RATE_LIMIT_KEYS)[number];

export const rateLimitConfigSchema = z
  .strictObject({
    per_program: limit.optional().describe("Of all events of a program together."),
    per_event_type: limit.optional().describe("Of each event type of a program."),
    per_pid: limit.optional().describe("Of each process."),
    per_cgroup: limit.optional().describe("Of each cgroup."),
    per_remote_address: limit.optional().describe("Of each destination address."),
  })
  .prefault({})
  .describe(
    "Events beyond a rate are counted and go no further. Without a limit all are admitted.",
  );

export type RateLimit = Readonly<z.infer<typeof limit>>;
export type RateLimitConfig = Readonly<z.infer<typeof rateLimitConfigSchema>>;
