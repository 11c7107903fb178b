/** Integers of a record in halves, and which fields are shown in what way. */
import type { RecordField } from "./record_schema.ts";

export type Presentation =
  | "integer"
  | "hexadecimal"
  | "address"
  | "text"
  | "float"
  | "bytes"
  /** Says nothing to a reader: padding, and what the event's name says already. */
  | "omitted";

const HEXADECIMAL: ReadonlySet<string> = new Set(["socket", "sampling", "randomness"]);
const ADDRESSES: ReadonlySet<string> = new Set(["source_address", "destination_address"]);
const OMITTED: ReadonlySet<string> = new Set(["length", "type", "reserved"]);

/** As `eventObject` shows them, too. */
export function presentationOf({ name, form }: RecordField): Presentation {
  if (OMITTED.has(name)) return "omitted";
  if (ADDRESSES.has(name)) return "address";
  if (form === "text" || form === "float" || form === "bytes") return form;
  return HEXADECIMAL.has(name) ? "hexadecimal" : "integer";
}

/** The low 32 bits of an integer field, sign-extended where it is signed, as an unsigned number. */
export function lowOf(view: DataView, start: number, { offset, size, form }: RecordField): number {
  const at = start + offset;
  if (size >= 4) return view.getUint32(at, true);
  if (size === 2)
    return (form === "signed" ? view.getInt16(at, true) : view.getUint16(at, true)) >>> 0;
  return (form === "signed" ? view.getInt8(at) : view.getUint8(at)) >>> 0;
}

export function highOf(view: DataView, start: number, field: RecordField): number {
  if (field.size === 8) return view.getUint32(start + field.offset + 4, true);
  return field.form === "signed" && (lowOf(view, start, field) & 0x80000000) !== 0 ? 0xffffffff : 0;
}
