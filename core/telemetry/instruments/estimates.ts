/** Instruments of what sampled events stand for. */
import type { Instrument } from "../instrument.ts";

const estimate = (suffix: string, what: string) =>
  ({
    name: `bpf.event.estimate${suffix}`,
    kind: "gauge",
    unit: "{event}",
    description: `${what} of the events that reached sampling, from those that were delivered.`,
    attributes: ["event_type"],
  }) satisfies Instrument;

export const ESTIMATES = {
  value: estimate("", "Estimate"),
  lower: estimate("_lower", "Lower bound, at 95 %,"),
  upper: estimate("_upper", "Upper bound, at 95 %,"),
} as const satisfies Record<string, Instrument>;
