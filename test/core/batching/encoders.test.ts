/** NDJSON against `eventObject`, OTLP against another protobuf decoder, on the events of a recording. */
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { beforeAll, describe, expect, it } from "vitest";
import { NdjsonEncoder } from "#core/batching/encoding/ndjson_encoder.ts";
import { OtlpLogsEncoder } from "#core/batching/encoding/otlp_encoder.ts";
import { type EventObject, eventObject } from "#core/events/event_json.ts";
import {
  batchOf,
  type RecordedEvents,
  recordedEvents,
  SAMPLE_TRACE,
  sliceBatch,
} from "../../../bench/recorded_batches.ts";

const PROTO = fileURLToPath(new URL("../../testdata/otlp/logs.proto", import.meta.url));
const RECORDS = 3000;
const OFFSET_NS = 1_700_000_000_123_456_789n;

interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string };
}

interface LogRecord {
  readonly timeUnixNano: string;
  readonly severityNumber: number;
  readonly eventName: string;
  readonly attributes: readonly KeyValue[];
}

let recorded: readonly RecordedEvents[];

beforeAll(async () => {
  recorded = await recordedEvents(SAMPLE_TRACE);
}, 60_000);

/** Recorded events, and the same with bytes changed to what is rare: signs, large numbers, odd names. */
function batches({ all }: RecordedEvents) {
  const plain = sliceBatch(all, 0, RECORDS);
  const odd = Array.from({ length: Math.min(RECORDS, all.count) }, (_, i) => {
    const record = all.buffer.slice(all.offsets[i]!, all.offsets[i]! + all.lengths[i]!);
    for (let at = 88; at < record.length; at++) {
      const keep = i % 7 !== 0 && record[at] === 0;
      if (!keep) record[at] = (record[at]! * 31 + i * 17 + at * 13) & 0xff;
    }
    return record;
  });
  return [plain, batchOf(odd)];
}

function objects(batch: RecordedEvents["all"], events: RecordedEvents["events"]): EventObject[] {
  return Array.from({ length: batch.count }, (_, i) => eventObject(batch, i, events)!);
}

describe("NDJSON", () => {
  it("has the same lines as eventObject", () => {
    expect(recorded.map(({ schema }) => schema.collector)).toContain("tcp");
    for (const each of recorded) {
      const encoder = new NdjsonEncoder(each.schema);
      for (const batch of batches(each)) {
        const { bytes, count } = encoder.encode(batch);
        const expected = objects(batch, each.events);
        expect(count).toBe(batch.count);
        const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
        expect(lines).toEqual(expected.map((event) => JSON.stringify(event)));
      }
    }
  });
});

/** What an attribute says of an event, in the words of `eventObject`. */
function expectedAttributes(event: EventObject): Record<string, string> {
  const names: Record<string, string> = {
    pid: "process.pid",
    tid: "thread.id",
    uid: "process.user.id",
    command: "thread.name",
    cpu: "cpu.logical_number",
    source_address: "source.address",
    source_port: "source.port",
    destination_address: "destination.address",
    destination_port: "destination.port",
    family: "network.type",
    sampling: "sampling.threshold",
    randomness: "sampling.randomness",
  };
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(event)) {
    if (name === "event" || name === "timestamp_ns") continue;
    let text = String(value);
    if (name === "family") text = value === 10 ? "ipv6" : "ipv4";
    const word = BigInt.asUintN(
      56,
      BigInt(name === "sampling" || name === "randomness" ? text : 0),
    );
    if (name === "randomness") text = word.toString(16).padStart(14, "0");
    if (name === "sampling") {
      text = word.toString(16).padStart(14, "0").replace(/0+$/, "") || "0";
    }
    attributes[names[name] ?? `tapio.${name}`] = text;
  }
  return attributes;
}

describe("OTLP log records", () => {
  it("are read by another decoder as what the events say", async () => {
    const root = await protobuf.load(PROTO);
    const Request = root.lookupType("otlp.ExportLogsServiceRequest");
    for (const each of recorded) {
      const encoder = new OtlpLogsEncoder(each.schema, {
        resource: { "service.name": "tapio-bpf", "host.name": "unit" },
        unixOffset_ns: () => OFFSET_NS,
      });
      for (const batch of batches(each)) {
        const { bytes, count } = encoder.encode(batch);
        const decoded = Request.decode(bytes);
        const plain = Request.toObject(decoded, { longs: String });
        // Written again by the other library it is the same: nothing was skipped as unknown.
        expect(Buffer.compare(Request.encode(decoded).finish(), bytes)).toBe(0);
        const [logs] = plain["resourceLogs"];
        expect(logs.resource.attributes).toEqual([
          { key: "service.name", value: { stringValue: "tapio-bpf" } },
          { key: "host.name", value: { stringValue: "unit" } },
        ]);
        const [{ scope, logRecords }] = logs.scopeLogs;
        expect(scope.name).toBe(`tapio-bpf/${each.schema.collector}`);
        expect(logRecords.length).toBe(count);
        objects(batch, each.events).forEach((event, i) => {
          const record = logRecords[i] as LogRecord;
          const attributes = record.attributes.map(({ key, value }) => {
            return [key, String(value.stringValue ?? value.intValue)];
          });
          expect(record.eventName).toBe(`tapio.${event["event"]}`);
          const failed = (event["error"] ?? 0) !== 0 || event["event"] === "tcp_connect_failed";
          expect(record.severityNumber).toBe(failed ? 13 : 9);
          const time = BigInt(event["timestamp_ns"] as number) + OFFSET_NS;
          expect(record.timeUnixNano).toBe(String(time));
          expect(Object.fromEntries(attributes)).toEqual(signed(expectedAttributes(event)));
        });
      }
    }
  });
});

/** Integers of OTLP are signed: an unsigned one of 64 bits comes back as its two's complement. */
function signed(attributes: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, text]) => {
      const integer = /^\d{16,}$/.test(text) && name.startsWith("tapio.");
      return [name, integer ? String(BigInt.asIntN(64, BigInt(text))) : text];
    }),
  );
}
