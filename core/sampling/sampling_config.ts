/** The `sampling:` section of the configuration, with the original report's names and defaults. */
import { z } from "zod";

const rate = (description: string, fallback: number) =>
  z.number().min(0).max(1).default(fallback).describe(description);

export const STRATEGIES = ["none", "uniform", "adaptive", "tail", "priority"] as const;
export type StrategyName = (typeof STRATEGIES)[number];

export const samplingConfigSchema = z
  .strictObject({
    strategy: z
      .enum(STRATEGIES)
      .default("none")
      .describe(
        "none keeps everything; uniform keeps base_rate of each type; adaptive aims at " +
          "adaptive.target_events_per_s; tail keeps errors and slow operations; priority boosts " +
          "what matters.",
      ),
    base_rate: rate("Part of the events that is kept, 0 to 1.", 0.1),
    event_type_rates: z
      .record(z.string(), z.number().min(0).max(1))
      .default({})
      .describe("Rates of single event types; each replaces base_rate. adaptive: at least these."),
    consistent: z
      .boolean()
      .default(false)
      .describe("Keep or leave out whole connections (threads where there is none), by a hash."),
    tail: z
      .strictObject({
        latency_threshold_ms: z
          .number()
          .positive()
          .default(100)
          .describe("An operation that took this many milliseconds is slow."),
        error_rate: rate("Part of the failed operations that is kept.", 1),
        slow_rate: rate("Part of the slow operations that is kept.", 0.5),
      })
      .prefault({})
      .describe("Strategy tail."),
    priority: z
      .strictObject({
        threshold: z.int().min(0).max(9).default(5).describe("Priority from which on is boosted."),
        boost: z.number().min(1).default(2).describe("Factor on the rate, which stays at most 1."),
      })
      .prefault({})
      .describe("Strategy priority."),
    adaptive: z
      .strictObject({
        target_events_per_s: z
          .number()
          .positive()
          .default(10_000)
          .describe("Events a second that are kept, over all types."),
        min_rate: rate("No type is sampled at less than this.", 0.01),
        max_rate: rate("No type is sampled at more than this.", 1),
        interval_ms: z
          .int()
          .min(10)
          .max(60_000)
          .default(250)
          .describe("Milliseconds between two looks at the load."),
      })
      .prefault({})
      .describe("Strategy adaptive."),
    reservoir: z
      .strictObject({
        size: z
          .int()
          .min(0)
          .max(10_000)
          .default(0)
          .describe("Delivered events of each type and epoch that a run keeps to show; 0: none."),
      })
      .prefault({})
      .describe("Samples of fixed size, drawn from what was delivered."),
  })
  .prefault({})
  .describe("Which part of the events is kept. Every kept event says with what probability.");

export type SamplingConfig = Readonly<z.infer<typeof samplingConfigSchema>>;

export const DEFAULT_SAMPLING: SamplingConfig = samplingConfigSchema.parse({});
