/** The `sinks:` and `log:` sections of the configuration. */
import { z } from "zod";

const MIB = 1 << 20;

const compression = z
  .enum(["gzip", "zstd", "none"])
  .default("gzip")
  .describe("Compression of request bodies.");

const rotation = {
  max_bytes: z
    .int()
    .min(4096)
    .default(256 * MIB)
    .describe("A file that reached this size in bytes is finished and a new one begun."),
  max_age_s: z
    .number()
    .positive()
    .default(3600)
    .describe("A file this old in seconds is finished, even if it is small."),
  keep: z
    .int()
    .min(0)
    .default(0)
    .describe("Finished files to keep, the oldest are deleted; 0 keeps all."),
};

const stdoutSink = z
  .strictObject({
    type: z.literal("stdout").describe("One JSON object a line on standard output."),
  })
  .describe("Events as NDJSON on standard output.");

const ndjsonSink = z
  .strictObject({
    type: z.literal("ndjson").describe("One JSON object a line, appended to one file."),
    path: z.string().min(1).describe("File that events are appended to."),
  })
  .describe("Events as NDJSON in one file.");

const fileSink = z
  .strictObject({
    type: z.literal("file").describe("Files that are rotated by size and age."),
    path: z.string().min(1).describe("Folder of the files; it is made if missing."),
    format: z
      .enum(["columnar", "ndjson"])
      .default("columnar")
      .describe("columnar: compressed columns, see docs/batch-format.md; ndjson: JSON lines."),
    ...rotation,
  })
  .describe("Events in rotating files.");

const otlpSink = z
  .strictObject({
    type: z.literal("otlp").describe("OTLP log records over HTTP, as protobuf."),
    endpoint: z
      .url({ protocol: /^https?$/ })
      .describe("URL that requests are posted to, with its path (http://host:4318/v1/logs)."),
    compression,
    timeout_ms: z
      .int()
      .min(1)
      .default(10_000)
      .describe("Milliseconds after which a request without answer is given up and retried."),
    max_in_flight: z
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe("Requests that may be under way at once."),
    headers: z
      .record(z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/), z.string())
      .default({})
      .describe("Header fields of every request, for authentication say."),
  })
  .describe("Events as OTLP log records to a collector.");

export const sinkSchema = z.discriminatedUnion("type", [
  stdoutSink,
  ndjsonSink,
  fileSink,
  otlpSink,
]);

export const sinkConfigSchema = z
  .array(sinkSchema)
  .default([])
  .describe("Where events go; each sink has its own queue and its own position in the log.");

export type SinkConfig = Readonly<z.infer<typeof sinkSchema>>;

export const logConfigSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe("Keep batches in a write-ahead log until every sink has acknowledged them."),
    path: z
      .string()
      .min(1)
      .default("tapio-log")
      .describe("Folder of the log. One process at a time may use it."),
    sync: z
      .enum(["always", "group", "never"])
      .default("group")
      .describe(
        "When batches are forced to the disk. A killed process loses nothing under any of them; a power " +
          "failure loses nothing (always), the last sync_interval_ms or sync_bytes (group), or what " +
          "the kernel had not written yet, commonly 30 s (never).",
      ),
    sync_interval_ms: z
      .int()
      .min(1)
      .max(60_000)
      .default(500)
      .describe("group: longest time in milliseconds between a batch and its sync."),
    sync_bytes: z
      .int()
      .min(4096)
      .default(4 * MIB)
      .describe("group: bytes after which a sync does not wait for the interval."),
    segment_bytes: z
      .int()
      .min(4096)
      .max(128 * MIB)
      .default(16 * MIB)
      .describe("Size in bytes of a segment, the unit in which the log is deleted."),
    max_bytes: z
      .int()
      .min(8192)
      .default(256 * MIB)
      .describe("Size in bytes that the log never exceeds."),
    when_full: z
      .enum(["block", "drop_oldest", "drop_newest"])
      .default("block")
      .describe(
        "At max_bytes: wait for a sink (block), give up the oldest segment (drop_oldest) or " +
          "refuse new batches (drop_newest). What is given up is counted as log_full.",
      ),
  })
  .prefault({})
  .describe("The write-ahead log between the collectors and the sinks.")
  .refine((log) => log.max_bytes >= 2 * log.segment_bytes, {
    path: ["max_bytes"],
    message: "must hold at least two segments (2 × segment_bytes)",
  });

export type LogConfig = Readonly<z.infer<typeof logConfigSchema>>;
