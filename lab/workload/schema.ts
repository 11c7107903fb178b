/** The `workloads:` of an experiment: events with a value each, and what sampling may look at. */
import { z } from "zod";

const count = z.int().min(1).max(10_000_000);
const share = z.number().min(0).max(1).default(0);

const loadSchema = z
  .strictObject({
    arrivals: z
      .enum(["poisson", "even"])
      .default("poisson")
      .describe("poisson: gaps are exponential; even: all gaps of a phase are equal."),
    repeat: z.int().min(1).max(1000).default(1),
    phases: z
      .array(
        z.strictObject({
          seconds: z.number().positive().max(86_400),
          events_per_s: z.number().min(0).max(10_000_000),
        }),
      )
      .min(1)
      .max(100),
  })
  .describe("When events come: phases of constant load, one after another.");

/** What every workload may have, whatever its values are. */
const common = {
  name: z.string(),
  events: count.optional().describe("How many; or give load."),
  load: loadSchema.optional(),
  types: z
    .strictObject({
      count: z.int().min(1).max(7),
      factor: z.number().positive().max(1e6).default(1),
    })
    .prefault({ count: 1 })
    .describe(
      "Event types 1 to count, type t as often as 1/t; values of each are factor times those before.",
    ),
  connections: z
    .strictObject({
      mean_events: z.number().min(1).max(1e6),
      tail: z.number().gt(1).max(100).default(100),
    })
    .prefault({ mean_events: 1 })
    .describe(
      "How many events a connection has: Pareto with index tail; neighbours belong together.",
    ),
  error_share: share.describe("Part of the events that failed."),
  high_priority_share: share.describe("Part of the events whose priority is high."),
};

const generated = <Kind extends string, Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) =>
  z.strictObject({ ...common, kind: z.literal(kind), ...shape });

const generatedSchema = z.discriminatedUnion("kind", [
  generated("constant", {}),
  generated("lognormal", { sigma: z.number().positive().max(5) }),
  generated("pareto", { alpha: z.number().min(0.5).max(10) }),
  generated("zipf", {
    exponent: z.number().min(0.5).max(5),
    ranks: z.int().min(2).max(1_000_000),
  }),
  /** Values within a burst are this many times larger. */
  generated("bursty", { factor: z.number().min(1).max(1e6) }),
  generated("periodic", { period: z.int().min(2) }),
]);

const recordingSchema = z.strictObject({
  kind: z.literal("recording"),
  name: z.string(),
  trace: z.string().describe("System calls of a recording; their latencies in ns are the values."),
});

export const workloadSchema = z
  .discriminatedUnion("kind", [generatedSchema, recordingSchema])
  .superRefine((workload, context) => {
    if (workload.kind === "recording") return;
    if ((workload.events === undefined) !== (workload.load === undefined)) return;
    const message = "give either events, how many there are, or load, when they come";
    context.addIssue({ code: "custom", message });
  })
  .describe("Events with a value each; from a sample of them totals and more are estimated.");

export type Workload = z.output<typeof workloadSchema>;
export type GeneratedWorkload = z.output<typeof generatedSchema>;
export type RecordedWorkload = z.output<typeof recordingSchema>;
export type Load = z.output<typeof loadSchema>;
