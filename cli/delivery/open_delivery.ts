/** Delivery as a configuration describes it: sinks, logs, and the processor between. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BatchProcessor } from "#core/batching/batch_processor.ts";
import type { BatchSink } from "#core/batching/batch_sink.ts";
import { createRecordSchema } from "#core/batching/encoding/record_schema.ts";
import { encodeSchemaHeader } from "#core/batching/encoding/schema_header.ts";
import type { BatchLog } from "#core/batching/log/batch_log.ts";
import type { SinkConfig } from "#core/batching/sink_config.ts";
import type { Config } from "#core/config/config.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import { openBatchLog } from "../batching/open_batch_log.ts";
import { LinesSink } from "../sinks/lines_sink.ts";
import { OtlpSink } from "../sinks/otlp_sink.ts";
import { RotatingFileSink } from "../sinks/rotating_file_sink.ts";
import { EncoderThreads } from "./encoder_threads.ts";
import { Encoders } from "./encoders.ts";

function openSink(config: SinkConfig): BatchSink {
  switch (config.type) {
    case "stdout":
      return new LinesSink();
    case "ndjson":
      return new LinesSink(config.path);
    case "file":
      return new RotatingFileSink({
        folder: config.path,
        format: config.format,
        maxBytes: config.max_bytes,
        maxAge_s: config.max_age_s,
        keep: config.keep,
      });
    case "otlp":
      return new OtlpSink(config);
  }
}

export interface DeliveryInput {
  readonly config: Config;
  readonly schemas: readonly EventSchema[];
  /** The backend's clock. */
  readonly now_ns: () => bigint;
  /** Threads that encode beside the main one; 0 = none. */
  readonly threads: number;
}

/** Throws `BpfError` where a sink or a log cannot be had; nothing stays open. */
export async function openDelivery({
  config,
  schemas,
  now_ns,
  threads,
}: DeliveryInput): Promise<BatchProcessor> {
  const unixOffset_ns = (): bigint => BigInt(Date.now()) * 1_000_000n - now_ns();
  const records = new Map(
    schemas.map(({ btf, collector }) => [collector.name, createRecordSchema(btf, collector)]),
  );
  const encoders = new Encoders(records, unixOffset_ns);
  const schemaHeader = ({ collector }: EventSchema): Uint8Array =>
    encodeSchemaHeader(records.get(collector.name)!);
  const sinks: BatchSink[] = [];
  const logs = new Map<string, BatchLog>();
  try {
    for (const each of config.sinks) sinks.push(openSink(each));
    if (config.log.enabled) {
      const consumers = sinks.map(({ name }) => name);
      for (const schema of schemas) {
        const folder = join(config.log.path, schema.collector.name);
        const header = schemaHeader(schema);
        const log = await openBatchLog({ config: config.log, folder, header, consumers });
        logs.set(schema.collector.name, log);
      }
    }
  } catch (error) {
    for (const log of logs.values()) await log.close();
    for (const sink of sinks) await sink.close();
    throw error;
  }
  const pool =
    threads === 0
      ? undefined
      : new EncoderThreads({
          threads,
          schemas: records,
          unixOffset_ns,
          problem: (text) => console.error(`tapio-bpf: ${text}`),
        });
  const processor = new BatchProcessor({
    config: config.batching,
    sinks,
    now_ns: () => Number(now_ns()),
    now_ms: () => performance.now(),
    random: Math.random,
    sleep: (time_ms, signal) =>
      sleep(time_ms, undefined, { signal }).then(
        () => undefined,
        () => undefined,
      ),
    encoder: ({ collector }, encoding) => encoders.of(collector.name, encoding),
    schemaHeader,
    convert: ({ collector }, columnar, encoding) =>
      encoding === "columnar"
        ? columnar
        : encoders.convert(collector.name, columnar, encoding).bytes,
    ...(config.log.enabled ? { logs } : {}),
    ...(pool === undefined ? {} : { pool }),
  });
  for (const schema of schemas) processor.prepare(schema);
  return processor;
}
