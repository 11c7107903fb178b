/**
 * The configuration of a run as a whole: one section for each capability, described where the
 * capability is built. Every section may be left out; the defaults pass every event.
 */
import { z } from "zod";
import { batchingConfigSchema } from "../batching/batching_config.ts";
import { logConfigSchema, sinkConfigSchema } from "../batching/sink_config.ts";
import { COLLECTORS, HOOK_KINDS } from "../events/collectors.ts";
import { filterConfigSchema } from "../filters/filter_config.ts";
import { namedRulesSchema } from "../filters/named_rule.ts";
import { rateLimitConfigSchema } from "../rate_limits/rate_limit_config.ts";
import { ringConfigSchema } from "../rings/ring_config.ts";
import { samplingConfigSchema } from "../sampling/sampling_config.ts";
import { sheddingConfigSchema } from "../shedding/shedding_config.ts";
import { telemetryConfigSchema } from "../telemetry/telemetry_config.ts";

const COLLECTOR_NAMES = [...COLLECTORS.keys()] as [string, ...string[]];

export const configSchema = z
  .strictObject({
    collectors: z
      .array(z.enum(COLLECTOR_NAMES))
      .min(1)
      .default(COLLECTOR_NAMES)
      .describe("Collectors to run; `--collector` overrides it. Fixed while the run lasts."),
    hooks: z
      .enum(["auto", ...HOOK_KINDS])
      .default("auto")
      .describe(
        "How programs attach on a real kernel: the best way that it takes, or this one and no other. Fixed while the run lasts.",
      ),
    filters: filterConfigSchema.prefault({}),
    rings: ringConfigSchema,
    named_filters: namedRulesSchema,
    rate_limits: rateLimitConfigSchema,
    sampling: samplingConfigSchema,
    shedding: sheddingConfigSchema,
    batching: batchingConfigSchema,
    sinks: sinkConfigSchema,
    log: logConfigSchema,
    telemetry: telemetryConfigSchema,
  })
  .describe("Configuration of `tapio-bpf run`");

export type Config = z.infer<typeof configSchema>;

/** What a run without a configuration file does. */
export const DEFAULT_CONFIG: Config = configSchema.parse({});

/** The configuration file's format as JSON Schema (draft 2020-12), for editors and linters. */
export function configJsonSchema(): Record<string, unknown> {
  return {
    title: "tapio.yaml",
    ...z.toJSONSchema(configSchema, { io: "input" }),
  };
}
