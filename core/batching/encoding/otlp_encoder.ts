/**
 * Ring records as one `ExportLogsServiceRequest` in protobuf: one log record an event, attributes by
 * the semantic conventions where they have a name, else under `tapio.`.
 */
import type { RecordBatch } from "../../backend.ts";
import { AF_INET6 } from "../../events/address_text.ts";
import { ByteWriter } from "./byte_writer.ts";
import { highOf, lowOf, type Presentation, presentationOf } from "./field_value.ts";
import { floatOf } from "./ndjson_encoder.ts";
import type { EncodedRecords, RecordEncoder } from "./record_encoder.ts";
import type { RecordField, RecordSchema } from "./record_schema.ts";
import { RecordSelection } from "./record_selection.ts";

/** Names of the semantic conventions. `command` is the name of the thread, as Linux keeps it. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
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

/** Field numbers and wire types, as one byte. */
const TAG = {
  resourceLogs: 0x0a,
  resource: 0x0a,
  scopeLogs: 0x12,
  attributeOfResource: 0x0a,
  scope: 0x0a,
  scopeName: 0x0a,
  logRecord: 0x12,
  time: 0x09,
  severity: 0x10,
  attribute: 0x32,
  observedTime: 0x59,
  eventName: 0x62,
  key: 0x0a,
  value: 0x12,
  string: 0x0a,
  integer: 0x18,
  double: 0x21,
} as const;
const INFO = Uint8Array.of(TAG.severity, 9);
const WARN = Uint8Array.of(TAG.severity, 13);
/** Events that tell of a failure without an `error` field. */
const FAILURES: ReadonlySet<string> = new Set(["tcp_connect_failed"]);
const TWO_32 = 2 ** 32;
const encoder = new TextEncoder();
const IPV4 = encoder.encode("ipv4");
const IPV6 = encoder.encode("ipv6");

interface OtlpField {
  readonly field: RecordField;
  readonly presentation: Presentation | "threshold" | "randomness" | "family";
  /** The attribute's key, as a field of `KeyValue`. */
  readonly key: Uint8Array;
}

interface OtlpType {
  readonly fields: readonly OtlpField[];
  readonly family: RecordField | undefined;
  /** An errno, where the event has one. */
  readonly error: RecordField | undefined;
  readonly isFailure: boolean;
  /** As a field of `LogRecord`. */
  readonly eventName: Uint8Array;
}

export interface OtlpEncoderOptions {
  /** Of the resource (`"host.name"`, …). */
  readonly resource: Readonly<Record<string, string>>;
  /** Nanoseconds from the records' clock to Unix time; asked once a batch. */
  readonly unixOffset_ns: () => bigint;
}

function lengthDelimited(tag: number, bytes: Uint8Array): Uint8Array {
  const out = new ByteWriter();
  out.byte(tag);
  out.varint64(bytes.length, 0);
  out.all(bytes);
  return out.bytes.slice(0, out.length);
}

function concatenated(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new ByteWriter();
  for (const part of parts) out.all(part);
  return out.bytes.slice(0, out.length);
}

function presentation(field: RecordField): OtlpField["presentation"] {
  if (field.name === "sampling") return "threshold";
  if (field.name === "randomness") return "randomness";
  if (field.name === "family") return "family";
  return presentationOf(field);
}

function otlpFields(fields: readonly RecordField[]): OtlpField[] {
  const shown = fields.filter(
    (field) => presentationOf(field) !== "omitted" && field.name !== "timestamp_ns",
  );
  return shown.map((field) => {
    const name = ATTRIBUTES[field.name] ?? `tapio.${field.name}`;
    const key = lengthDelimited(TAG.key, encoder.encode(name));
    return { field, presentation: presentation(field), key };
  });
}

function resourceOf(attributes: Readonly<Record<string, string>>): Uint8Array {
  const pairs = Object.entries(attributes).map(([name, text]) => {
    const value = lengthDelimited(TAG.value, lengthDelimited(TAG.string, encoder.encode(text)));
    const key = lengthDelimited(TAG.key, encoder.encode(name));
    return lengthDelimited(TAG.attributeOfResource, concatenated(key, value));
  });
  return lengthDelimited(TAG.resource, concatenated(...pairs));
}

export class OtlpLogsEncoder implements RecordEncoder {
  readonly encoding = "otlp_logs";
  readonly #selection: RecordSelection;
  readonly #types: readonly OtlpType[];
  readonly #timestamp: RecordField;
  readonly #float = new DataView(new ArrayBuffer(8));
  readonly #resource: Uint8Array;
  readonly #scope: Uint8Array;
  readonly #unixOffset_ns: () => bigint;
  readonly #out = new ByteWriter();
  readonly #record = new ByteWriter();
  readonly #value = new ByteWriter();

  constructor(schema: RecordSchema, { resource, unixOffset_ns }: OtlpEncoderOptions) {
    this.#selection = new RecordSelection(schema);
    this.#timestamp = schema.header.fields.find(({ name }) => name === "timestamp_ns")!;
    this.#resource = resourceOf(resource);
    const scope = encoder.encode(`tapio-bpf/${schema.collector}`);
    this.#scope = lengthDelimited(TAG.scope, lengthDelimited(TAG.scopeName, scope));
    this.#unixOffset_ns = unixOffset_ns;
    this.#types = schema.types.map(({ name, struct }) => {
      const all = [...schema.header.fields, ...schema.structs[struct]!.fields];
      const eventName = lengthDelimited(TAG.eventName, encoder.encode(`tapio.${name}`));
      return {
        fields: otlpFields(all),
        family: all.find(({ name: each }) => each === "family"),
        error: all.find(({ name: each }) => each === "error"),
        isFailure: FAILURES.has(name),
        eventName,
      };
    });
  }

  encode(batch: RecordBatch): EncodedRecords {
    const selection = this.#selection;
    selection.select(batch);
    const offset = BigInt.asUintN(64, this.#unixOffset_ns());
    const low = Number(offset & 0xffffffffn);
    const high = Number(offset >> 32n);
    const logs = this.#out;
    logs.length = 0;
    logs.all(this.#scope);
    for (let i = 0; i < selection.count; i++) {
      const start = selection.all.starts[i]!;
      this.#encodeRecord(batch, start, this.#types[selection.types[i]!]!, low, high);
      logs.byte(TAG.logRecord);
      logs.varint64(this.#record.length, 0);
      logs.append(this.#record);
    }
    const scopeLogs = lengthDelimited(TAG.scopeLogs, logs.bytes.subarray(0, logs.length));
    const bytes = lengthDelimited(TAG.resourceLogs, concatenated(this.#resource, scopeLogs));
    const { count, rawBytes, malformed } = selection;
    return { bytes, count, rawBytes, malformed };
  }

  #encodeRecord(
    { buffer, view }: RecordBatch,
    start: number,
    type: OtlpType,
    offsetLow: number,
    offsetHigh: number,
  ): void {
    const out = this.#record;
    out.length = 0;
    const low = lowOf(view, start, this.#timestamp) + offsetLow;
    const high = highOf(view, start, this.#timestamp) + offsetHigh + (low >= TWO_32 ? 1 : 0);
    this.#time(TAG.time, low, high);
    const error = type.error === undefined ? 0 : lowOf(view, start, type.error);
    out.all(type.isFailure || error !== 0 ? WARN : INFO);
    for (const { field, presentation: how, key } of type.fields) {
      const value = this.#value;
      value.length = 0;
      this.#encodeValue(buffer, view, start, field, how, type.family);
      out.byte(TAG.attribute);
      out.varint64(key.length + 1 + varintBytes(value.length) + value.length, 0);
      out.all(key);
      out.byte(TAG.value);
      out.varint64(value.length, 0);
      out.append(value);
    }
    this.#time(TAG.observedTime, low, high);
    out.all(type.eventName);
  }

  #time(tag: number, low: number, high: number): void {
    this.#record.byte(tag);
    this.#record.fixed32(low);
    this.#record.fixed32(high);
  }

  /** Writes an `AnyValue`. */
  #encodeValue(
    buffer: Uint8Array,
    view: DataView,
    start: number,
    field: RecordField,
    how: OtlpField["presentation"],
    family: RecordField | undefined,
  ): void {
    const value = this.#value;
    const at = start + field.offset;
    if (how === "integer") {
      value.byte(TAG.integer);
      value.varint64(lowOf(view, start, field), highOf(view, start, field));
      return;
    }
    if (how === "float") {
      value.byte(TAG.double);
      this.#float.setFloat64(0, floatOf(view, at, field.size), true);
      value.fixed32(this.#float.getUint32(0, true));
      value.fixed32(this.#float.getUint32(4, true));
      return;
    }
    // One byte of length is enough for all but long byte arrays; those make room for another.
    value.byte(TAG.string);
    value.byte(0);
    this.#encodeText(buffer, view, start, field, how, family);
    const length = value.length - 2;
    if (length < 0x80) {
      value.bytes[1] = length;
      return;
    }
    const text = value.bytes.slice(2, value.length);
    value.length = 1;
    value.varint64(length, 0);
    value.all(text);
  }

  #encodeText(
    buffer: Uint8Array,
    view: DataView,
    start: number,
    field: RecordField,
    how: OtlpField["presentation"],
    family: RecordField | undefined,
  ): void {
    const value = this.#value;
    const at = start + field.offset;
    switch (how) {
      case "family":
        value.all(lowOf(view, start, field) === AF_INET6 ? IPV6 : IPV4);
        break;
      case "address":
        value.address(buffer, at, family === undefined ? 0 : lowOf(view, start, family));
        break;
      case "text":
        value.text(buffer, at, field.size);
        break;
      case "threshold":
        this.#threshold(lowOf(view, start, field), highOf(view, start, field) & 0xffffff);
        break;
      case "randomness":
        value.hexadecimal(lowOf(view, start, field), highOf(view, start, field) & 0xffffff, 14);
        break;
      case "hexadecimal":
        value.byte(0x30);
        value.byte(0x78);
        value.hexadecimal(lowOf(view, start, field), highOf(view, start, field));
        break;
      default:
        for (let i = 0; i < field.size; i++) value.hexadecimal(buffer[at + i]!, 0, 2);
    }
  }

  /** 56 bits without trailing zeros, `0` for none: `th` of a trace state. */
  #threshold(low: number, high: number): void {
    const value = this.#value;
    const from = value.length;
    value.hexadecimal(low, high, 14);
    while (value.length > from + 1 && value.bytes[value.length - 1] === 0x30) value.length--;
  }
}

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : 3;
}
