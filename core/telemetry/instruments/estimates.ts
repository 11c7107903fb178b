/** Instruments of what sampled events stand for. */
import type { Instrument } from "../instrument.ts";

const count = (suffix: string, what: string) =>
  ({
    name: `bpf.event.estimate${suffix}`,
    kind: "gauge",
    unit: "{event}",
    description: `${what} of the events that reached sampling, from those that were delivered.`,
    attributes: ["event_type"],
  }) satisfies Instrument;

const latency = (suffix: string, what: string) =>
  ({
    name: `bpf.event.latency.estimate${suffix}`,
    kind: "gauge",
    unit: "s",
    description: `${what} of the mean latency of the events that reached sampling.`,
    attributes: ["event_type"],
  }) satisfies Instrument;

const quantile = (suffix: string, what: string) =>
  ({
    name: `bpf.event.latency.quantile.estimate${suffix}`,
    kind: "gauge",
    unit: "s",
    description: `${what} of a quantile of the latency of the events that reached sampling.`,
    attributes: ["event_type", "percentile"],
  }) satisfies Instrument;

export const ESTIMATES = {
  value: count("", "Estimate"),
  lower: count("_lower", "Lower bound, at 95 %,"),
  upper: count("_upper", "Upper bound, at 95 %,"),
  anytimeLower: count("_anytime_lower", "Lower bound, at 95 % for all looks together,"),
  anytimeUpper: count("_anytime_upper", "Upper bound, at 95 % for all looks together,"),
  distrust: {
    name: "bpf.event.estimate.distrust",
    kind: "gauge",
    unit: "{reason}",
    description: "1 for each reason for which an estimate's bounds should not be relied on.",
    attributes: ["event_type", "quantity", "reason"],
  },
} as const satisfies Record<string, Instrument>;

export const LATENCY_ESTIMATES = {
  value: latency("", "Estimate"),
  lower: latency("_lower", "Lower bound, at 95 %,"),
  upper: latency("_upper", "Upper bound, at 95 %,"),
} as const satisfies Record<string, Instrument>;

export const LATENCY_QUANTILE_ESTIMATES = {
  value: quantile("", "Estimate"),
  lower: quantile("_lower", "Lower bound, at 95 %,"),
  upper: quantile("_upper", "Upper bound, at 95 %,"),
} as const satisfies Record<string, Instrument>;
