/** What an experiment is: workloads × strategies, replicated. */
import { z } from "zod";

const count = z.int().min(1).max(10_000_000);
const rate = z.number().positive().max(1);

const workloadSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("constant"), name: z.string(), events: count }),
    z.strictObject({
      kind: z.literal("lognormal"),
      name: z.string(),
      events: count,
      sigma: z.number().positive().max(5),
    }),
    z.strictObject({
      kind: z.literal("pareto"),
      name: z.string(),
      events: count,
      alpha: z.number().min(0.5).max(10),
    }),
    z.strictObject({
      kind: z.literal("zipf"),
      name: z.string(),
      events: count,
      exponent: z.number().min(0.5).max(5),
      ranks: z.int().min(2).max(1_000_000),
    }),
    z.strictObject({
      kind: z.literal("bursty"),
      name: z.string(),
      events: count,
      /** Values within a burst are this many times larger. */
      factor: z.number().min(1).max(1e6),
    }),
    z.strictObject({
      kind: z.literal("periodic"),
      name: z.string(),
      events: count,
      period: z.int().min(2),
    }),
    z.strictObject({
      kind: z.literal("recording"),
      name: z.string(),
      /** A trace; latencies of its system calls, in nanoseconds, are the values. */
      trace: z.string(),
    }),
  ])
  .describe("Events with a value each; their total is what is estimated.");

const strategySchema = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("uniform"), name: z.string(), rate }),
    z.strictObject({
      kind: z.literal("tail"),
      name: z.string(),
      rate,
      slow_rate: rate,
      /** Part of the events that counts as slow: the largest values. */
      slow_share: z.number().min(0).max(1),
    }),
    z.strictObject({ kind: z.literal("bottom_k"), name: z.string(), k: z.int().min(2) }),
    z.strictObject({ kind: z.literal("priority_sampling"), name: z.string(), k: z.int().min(2) }),
  ])
  .describe("How events are chosen, and how the total is estimated from those that were.");

export const experimentSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string().default(""),
  replications: z.int().min(10).max(1_000_000),
  confidence: z.number().gt(0).lt(1).default(0.95),
  workloads: z.array(workloadSchema).min(1).max(100),
  strategies: z.array(strategySchema).min(1).max(100),
});

export type Experiment = z.output<typeof experimentSchema>;
export type Workload = Experiment["workloads"][number];
export type Strategy = Experiment["strategies"][number];
