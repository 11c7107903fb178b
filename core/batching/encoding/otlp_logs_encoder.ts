/** Batches as OpenTelemetry log records: one `ExportLogsServiceRequest` in protobuf. */
import type { RecordBatch } from "../../backend.ts";
import { type EventObject, eventObject } from "../../events/event_json.ts";
import type { EventSchema } from "../../events/event_schema.ts";
import { thresholdOfWord } from "../../sampling/threshold.ts";
import { encodeRandomness, encodeThreshold } from "../../sampling/tracestate.ts";
import { ProtobufWriter } from "./protobuf_writer.ts";
import type { EncodedRecords, RecordEncoder } from "./record_encoder.ts";

/** Field numbers of opentelemetry/proto/logs/v1 and common/v1. */
const REQUEST = { resourceLogs: 1 };
const RESOURCE_LOGS = { resource: 1, scopeLogs: 2 };
const RESOURCE = { attributes: 1 };
const SCOPE_LOGS = { scope: 1, logRecords: 2 };
const SCOPE = { name: 1 };
const LOG_RECORD = { time: 1, severity: 2, attributes: 6, observed: 11, eventName: 12 };
const KEY_VALUE = { key: 1, value: 2 };
const ANY_VALUE = { text: 1, integer: 3 };
const SEVERITY = { info: 9, warn: 13 };

/** Fields that have a name in the semantic conventions; the others become `tapio.NAME`. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  pid: "process.pid",
  tid: "thread.id",
  uid: "process.user.id",
  command: "process.command",
  source_address: "source.address",
  source_port: "source.port",
  destination_address: "destination.address",
  destination_port: "destination.port",
  cpu: "cpu.logical_number",
};

/** Told otherwise: the record's time and name, and what sampling says. */
const NO_ATTRIBUTES: ReadonlySet<string> = new Set([
  "event",
  "timestamp_ns",
  "sampling",
  "randomness",
]);

export class OtlpLogsEncoder implements RecordEncoder {
  readonly encoding = "otlp_logs";
  readonly #schema: EventSchema;
  readonly #wallOffset_ns: () => bigint;
  readonly #writer = new ProtobufWriter();

  /** `wallOffset_ns`: what to add to the clock of events for nanoseconds since 1970. */
  constructor(schema: EventSchema, wallOffset_ns: () => bigint) {
    this.#schema = schema;
    this.#wallOffset_ns = wallOffset_ns;
  }

  encode(batch: RecordBatch): EncodedRecords {
    const writer = this.#writer;
    const offset_ns = this.#wallOffset_ns();
    let [count, rawBytes] = [0, 0];
    writer.message(REQUEST.resourceLogs, () => {
      writer.message(RESOURCE_LOGS.resource, () => {
        this.#attribute(RESOURCE.attributes, "service.name", "tapio-bpf");
      });
      writer.message(RESOURCE_LOGS.scopeLogs, () => {
        writer.message(SCOPE_LOGS.scope, () => {
          writer.text(SCOPE.name, `tapio.${this.#schema.collector.name}`);
        });
        for (let i = 0; i < batch.count; i++) {
          const event = eventObject(batch, i, this.#schema);
          if (event === undefined) continue;
          writer.message(SCOPE_LOGS.logRecords, () => this.#record(event, offset_ns));
          count += 1;
          rawBytes += batch.lengths[i]!;
        }
      });
    });
    return { bytes: writer.take(), count, rawBytes, malformed: batch.count - count };
  }

  #record(event: EventObject, offset_ns: bigint): void {
    const writer = this.#writer;
    const time_ns = BigInt(event["timestamp_ns"] as number) + offset_ns;
    const failed = Number(event["error"] ?? 0) !== 0 || event["event"] === "tcp_connect_failed";
    writer.fixed64(LOG_RECORD.time, time_ns);
    writer.fixed64(LOG_RECORD.observed, time_ns);
    writer.integer(LOG_RECORD.severity, failed ? SEVERITY.warn : SEVERITY.info);
    for (const [name, value] of Object.entries(event)) {
      if (NO_ATTRIBUTES.has(name)) continue;
      this.#attribute(LOG_RECORD.attributes, ATTRIBUTES[name] ?? `tapio.${name}`, value);
    }
    const threshold = thresholdOfWord(BigInt(event["sampling"] as string));
    const randomness = BigInt(event["randomness"] as string);
    this.#attribute(LOG_RECORD.attributes, "sampling.threshold", encodeThreshold(threshold));
    this.#attribute(LOG_RECORD.attributes, "sampling.randomness", encodeRandomness(randomness));
    writer.text(LOG_RECORD.eventName, `tapio.${event["event"]}`);
  }

  #attribute(field: number, key: string, value: unknown): void {
    const writer = this.#writer;
    writer.message(field, () => {
      writer.text(KEY_VALUE.key, key);
      writer.message(KEY_VALUE.value, () => {
        if (typeof value === "number") writer.integer(ANY_VALUE.integer, value);
        else writer.text(ANY_VALUE.text, String(value));
      });
    });
  }
}
