/** The `strategies:` of an experiment: what programs decide, and what user space selects of that. */
import { z } from "zod";
import {
  DEFAULT_SAMPLING,
  type SamplingConfig,
  samplingConfigSchema,
} from "#core/sampling/sampling_config.ts";
import type { Events } from "./workload/events.ts";

const rate = z.number().positive().max(1);
const k = z.int().min(2);
const name = z.string();
const rates = z
  .record(z.string(), rate)
  .default({})
  .describe("Rates of single types, by name (type 1); each replaces rate.");

export const strategySchema = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("uniform"), name, rate }),
    z.strictObject({ kind: z.literal("per_type"), name, rate, rates }),
    z.strictObject({
      kind: z.literal("tail"),
      name,
      rate,
      slow_rate: rate,
      error_rate: rate.default(1),
      slow_share: z
        .number()
        .min(0)
        .max(1)
        .describe("Part of the events that counts as slow: the largest values."),
    }),
    z.strictObject({
      kind: z.literal("priority_boost"),
      name,
      rate,
      boost: z.number().min(1),
      threshold: z.int().min(0).max(9).default(5),
    }),
    z.strictObject({
      kind: z.literal("adaptive"),
      name,
      target_events_per_s: z.number().positive(),
      interval_ms: z.int().min(10).max(60_000).default(250),
      min_rate: z.number().min(0).max(1).default(0.0001),
      max_rate: rate.default(1),
    }),
    z.strictObject({ kind: z.literal("consistent"), name, rate }),
    z.strictObject({ kind: z.literal("stratified"), name, rate, rates }),
    z.strictObject({ kind: z.literal("reservoir"), name, k }),
    z.strictObject({ kind: z.literal("bottom_k"), name, k }),
    z.strictObject({ kind: z.literal("priority_sampling"), name, k }),
    z.strictObject({ kind: z.literal("varopt"), name, k }),
  ])
  .describe("How events are chosen, and how totals are estimated from those that were.");

export type Strategy = z.output<typeof strategySchema>;

type SamplingSettings = z.input<typeof samplingConfigSchema>;

/** The `sampling:` section that a collector would have for this strategy on these events. */
export function samplingConfigOf(strategy: Strategy, events: Events): SamplingConfig {
  const settings = settingsOf(strategy, events);
  return settings === undefined ? DEFAULT_SAMPLING : samplingConfigSchema.parse(settings);
}

/** Undefined where everything is delivered, and user space selects. */
function settingsOf(strategy: Strategy, events: Events): SamplingSettings | undefined {
  switch (strategy.kind) {
    case "uniform":
      return { strategy: "uniform", base_rate: strategy.rate };
    case "per_type":
    case "stratified":
      return {
        strategy: "uniform",
        base_rate: strategy.rate,
        event_type_rates: strategy.rates,
      };
    case "consistent":
      return { strategy: "uniform", base_rate: strategy.rate, consistent: true };
    case "tail": {
      const { rate: base_rate, slow_rate, error_rate, slow_share } = strategy;
      const latency_threshold_ms = slowFrom(events, slow_share) / 1e6;
      return { strategy: "tail", base_rate, tail: { latency_threshold_ms, slow_rate, error_rate } };
    }
    case "priority_boost": {
      const { rate: base_rate, boost, threshold } = strategy;
      return { strategy: "priority", base_rate, priority: { boost, threshold } };
    }
    case "adaptive": {
      const { target_events_per_s, interval_ms, min_rate, max_rate } = strategy;
      const adaptive = { target_events_per_s, interval_ms, min_rate, max_rate };
      return { strategy: "adaptive", adaptive };
    }
    default:
      return undefined;
  }
}

/** The latency from which on the largest part of the events counts as slow. */
function slowFrom({ latencies_ns, count }: Events, share: number): number {
  const sorted = latencies_ns.slice().sort();
  return Math.max(1, sorted[Math.min(count - 1, Math.floor((1 - share) * count))]!);
}
