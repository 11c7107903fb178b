/** The `telemetry:` section of the configuration. */
import { z } from "zod";

const otlp = z
  .strictObject({
    endpoint: z
      .url({ protocol: /^https?$/ })
      .describe("URL that metrics are posted to, with its path (http://host:4318/v1/metrics)."),
    interval_s: z
      .number()
      .positive()
      .max(3600)
      .default(15)
      .describe("Seconds between two exports."),
    timeout_ms: z
      .int()
      .min(1)
      .max(600_000)
      .default(10_000)
      .describe("Milliseconds after which an export that got no answer is given up."),
    headers: z
      .record(z.string(), z.string())
      .default({})
      .describe("Header fields of every request, for authentication say."),
  })
  .describe("Metrics over OTLP/HTTP as protobuf.");

export const telemetryConfigSchema = z
  .strictObject({
    interval_s: z
      .number()
      .positive()
      .max(3600)
      .default(5)
      .describe("Seconds between two readings of the kernel's counters."),
    otlp: otlp.optional(),
    console: z
      .boolean()
      .default(false)
      .describe("Print metrics on standard error at every interval."),
  })
  .prefault({})
  .describe("Metrics of the run itself.");

export type TelemetryConfig = Readonly<z.infer<typeof telemetryConfigSchema>>;
