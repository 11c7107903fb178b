/** The `batching:` section of the configuration, with the original report's names and defaults. */
import { z } from "zod";

export const batchingConfigSchema = z
  .strictObject({
    max_batch_size: z
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe("Events in a batch at most."),
    min_batch_size: z
      .int()
      .min(1)
      .default(10)
      .describe("The controller never aims at fewer events than this."),
    max_batch_bytes: z
      .int()
      .min(4096)
      .max(64 << 20)
      .default(1 << 20)
      .describe("Bytes of records in a batch at most."),
    max_batch_age_ms: z
      .number()
      .positive()
      .max(60_000)
      .default(100)
      .describe("A batch is sent this many milliseconds after its first event, however small."),
    buffer_bytes: z
      .int()
      // A source that waits does so between blocks of 4,096 events, which as text take less than this.
      .min(4 << 20)
      .default(64 << 20)
      .describe("Memory for encoded batches that wait; what does not fit is counted (queue_full)."),
    worker_count: z
      .int()
      .min(0)
      .max(64)
      .optional()
      .describe(
        "Threads that encode batches beside the main one. Default: none, but where the source waits (a replay at pace " +
          "max) one for each further CPU, up to 4.",
      ),
    max_retries: z
      .int()
      .min(0)
      .default(3)
      .describe(
        "Without a log: attempts after the first before a batch is given up (sink_failed).",
      ),
    retry_backoff_ms: z.number().positive().default(100).describe("First wait before a retry."),
    retry_backoff_max_ms: z.number().positive().default(30_000).describe("Longest wait."),
    shutdown_timeout_ms: z
      .number()
      .min(0)
      .default(30_000)
      .describe("What the sinks may take to drain at the end; the rest is counted (shutdown)."),
    adaptive: z.boolean().default(true).describe("Let the controller choose the batch size."),
    target_latency_ms: z
      .number()
      .positive()
      .default(50)
      .describe("Time from event to acknowledgement that 95 % of the events should stay within."),
  })
  .prefault({})
  .refine((batching) => batching.min_batch_size <= batching.max_batch_size, {
    path: ["min_batch_size"],
    message: "must not be above max_batch_size",
  })
  .describe("How events gather on their way to the sinks.");

export type BatchingConfig = Readonly<z.infer<typeof batchingConfigSchema>>;

export const DEFAULT_BATCHING: BatchingConfig = batchingConfigSchema.parse({});
