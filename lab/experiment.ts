/** What an experiment is: workloads × strategies, replicated. */
import { z } from "zod";
import { quantitySchema } from "./quantity.ts";
import { strategySchema } from "./strategy.ts";
import { workloadSchema } from "./workload/schema.ts";

export const DECISIONS = ["model", "bytecode"] as const;

export const experimentSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string().default(""),
  replications: z.int().min(10).max(1_000_000),
  confidence: z.number().gt(0).lt(1).default(0.95),
  decisions: z
    .enum(DECISIONS)
    .default("model")
    .describe(
      "Who decides: model, in TypeScript; bytecode, the collectors' own on the simulated machine. The same events are kept.",
    ),
  quantities: z.array(quantitySchema).min(1).default(["total"]),
  workloads: z.array(workloadSchema).min(1).max(100),
  strategies: z.array(strategySchema).min(1).max(100),
});

export type Experiment = z.output<typeof experimentSchema>;
