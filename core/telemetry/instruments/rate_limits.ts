/** Instruments of rate limits; events beyond them are `bpf.events.rate_limited`. */
import type { Instrument } from "../instrument.ts";

export const RATE_LIMITS = {
  buckets: {
    name: "bpf.rate_limit.buckets",
    kind: "up_down_counter",
    unit: "{bucket}",
    description: "Keys that have a token bucket.",
    attributes: ["program_name"],
  },
  limit: {
    name: "bpf.rate_limit.limit",
    kind: "gauge",
    unit: "{event}/s",
    description: "Events a second that a limit admits.",
    attributes: ["key"],
  },
} as const satisfies Record<string, Instrument>;
