/** Ring records as one JSON object a line, the same as `eventObject` makes. */
import type { RecordBatch } from "../../backend.ts";
import { ByteWriter } from "./byte_writer.ts";
import { highOf, lowOf, type Presentation, presentationOf } from "./field_value.ts";
import type { EncodedRecords, RecordEncoder } from "./record_encoder.ts";
import type { RecordField, RecordSchema } from "./record_schema.ts";
import { RecordSelection } from "./record_selection.ts";

interface JsonField {
  readonly field: RecordField;
  readonly presentation: Presentation;
  /** `,"name":` */
  readonly key: Uint8Array;
}

interface JsonType {
  /** `{"event":"name"` */
  readonly start: Uint8Array;
  readonly fields: readonly JsonField[];
  readonly family: RecordField | undefined;
}

const encoder = new TextEncoder();
const QUOTE = 0x22;
const HEX_PREFIX = encoder.encode('"0x');
const END_OF_LINE = encoder.encode("}\n");
/** High half of the first integer that a double cannot hold exactly. */
const INEXACT_HIGH = 0x200000;

export class NdjsonEncoder implements RecordEncoder {
  readonly encoding = "ndjson";
  readonly #selection: RecordSelection;
  readonly #types: readonly JsonType[];
  readonly #out = new ByteWriter();

  constructor(schema: RecordSchema) {
    this.#selection = new RecordSelection(schema);
    this.#types = schema.types.map(({ name, struct }) => {
      const all = [...schema.header.fields, ...schema.structs[struct]!.fields];
      const shown = all.filter((field) => presentationOf(field) !== "omitted");
      return {
        start: encoder.encode(`{"event":${JSON.stringify(name)}`),
        fields: shown.map((field) => ({
          field,
          presentation: presentationOf(field),
          key: encoder.encode(`,${JSON.stringify(field.name)}:`),
        })),
        family: all.find(({ name: each }) => each === "family"),
      };
    });
  }

  encode(batch: RecordBatch): EncodedRecords {
    const selection = this.#selection;
    selection.select(batch);
    this.#out.length = 0;
    for (let i = 0; i < selection.count; i++) {
      this.#encodeRecord(batch, selection.all.starts[i]!, this.#types[selection.types[i]!]!);
    }
    const { count, rawBytes, malformed } = selection;
    return { bytes: this.#out.bytes.slice(0, this.#out.length), count, rawBytes, malformed };
  }

  #encodeRecord({ buffer, view }: RecordBatch, start: number, type: JsonType): void {
    const out = this.#out;
    out.all(type.start);
    for (const { field, presentation, key } of type.fields) {
      out.all(key);
      const at = start + field.offset;
      switch (presentation) {
        case "integer":
          this.#integer(view, start, field);
          break;
        case "hexadecimal":
          out.all(HEX_PREFIX);
          out.hexadecimal(lowOf(view, start, field), highOf(view, start, field));
          out.byte(QUOTE);
          break;
        case "address":
          out.byte(QUOTE);
          out.address(buffer, at, type.family === undefined ? 0 : lowOf(view, start, type.family));
          out.byte(QUOTE);
          break;
        case "text":
          out.jsonText(buffer, at, field.size);
          break;
        case "float":
          out.all(encoder.encode(JSON.stringify(floatOf(view, at, field.size))));
          break;
        default:
          out.byte(QUOTE);
          for (let i = 0; i < field.size; i++) out.hexadecimal(buffer[at + i]!, 0, 2);
          out.byte(QUOTE);
      }
    }
    out.all(END_OF_LINE);
  }

  /** A number while it is exact, else a string. */
  #integer(view: DataView, start: number, field: RecordField): void {
    const out = this.#out;
    let low = lowOf(view, start, field);
    let high = highOf(view, start, field);
    const negative = field.form === "signed" && (high & 0x80000000) !== 0;
    if (negative) {
      low = -low >>> 0;
      high = (low === 0 ? -high : ~high) >>> 0;
    }
    const quoted = high >= INEXACT_HIGH;
    if (quoted) out.byte(QUOTE);
    if (negative) out.byte(0x2d);
    out.decimal64(low, high);
    if (quoted) out.byte(QUOTE);
  }
}

export function floatOf(view: DataView, at: number, size: number): number {
  return size === 8 ? view.getFloat64(at, true) : view.getFloat32(at, true);
}
