/**
 * What encoders and decoders know of a collector's records: names, places and forms of the fields,
 * as plain data. It comes from the object's BTF, or from the header of a columnar file.
 */
import type { Btf } from "../../btf/btf.ts";
import { enumeratorValue } from "../../btf/enumerators.ts";
import { type Field, layoutOf } from "../../btf/layout.ts";
import { findType, isChar, typeAt } from "../../btf/queries.ts";
import { BpfError } from "../../errors.ts";
import type { CollectorSpec } from "../../events/collectors.ts";

/** `text` ends at its first NUL; `bytes` is anything that is no number. */
export type FieldForm = "unsigned" | "signed" | "float" | "text" | "bytes";

export interface RecordField {
  readonly name: string;
  /** From the start of the record, in bytes. */
  readonly offset: number;
  readonly size: number;
  readonly form: FieldForm;
}

export interface RecordStruct {
  readonly name: string;
  /** In bytes, the header included. */
  readonly size: number;
  /** Those after the header. */
  readonly fields: readonly RecordField[];
}

export interface RecordType {
  /** As in reports and exports (`"tcp_state"`). */
  readonly name: string;
  /** Value of the header's `type`. */
  readonly number: number;
  /** Index in `RecordSchema.structs`. */
  readonly struct: number;
}

export interface RecordSchema {
  readonly collector: string;
  /** Every record begins with it. */
  readonly header: RecordStruct;
  readonly structs: readonly RecordStruct[];
  readonly types: readonly RecordType[];
}

const SCALAR_SIZES: readonly number[] = [1, 2, 4, 8];

function formOf(btf: Btf, field: Field): FieldForm {
  if (field.kind === "array") {
    const type = typeAt(btf, field.typeId);
    return type.kind === "array" && isChar(btf, type.elementTypeId) ? "text" : "bytes";
  }
  if (!SCALAR_SIZES.includes(field.size)) return "bytes";
  if (field.kind === "float") return field.size >= 4 ? "float" : "bytes";
  return field.signed ? "signed" : "unsigned";
}

function structOf(btf: Btf, name: string, from: number, collector: string): RecordStruct {
  const id = findType(btf, name, "struct");
  if (id === undefined) {
    throw new BpfError(`encode records of ${collector}`, `its object declares no struct ${name}`, {
      hint: "rebuild the object with -g from the sources of this version",
    });
  }
  const layout = layoutOf(btf, id);
  const fields: RecordField[] = [];
  let end = from;
  for (const field of layout.fields) {
    const nested = field.kind === "struct" || field.kind === "union";
    // Members of a union overlap, bit fields share bytes: the first to come names them.
    if (nested || field.bitField || field.offset < end) continue;
    const { path, offset, size } = field;
    fields.push({ name: path, offset, size, form: formOf(btf, field) });
    end = offset + size;
  }
  return { name, size: layout.size, fields };
}

/** Throws `BpfError` where the object lacks a type that the collector names. */
export function createRecordSchema(btf: Btf, spec: CollectorSpec): RecordSchema {
  const header = structOf(btf, "event_header", 0, spec.name);
  const structs: RecordStruct[] = [];
  const types = spec.events.map((event) => {
    let struct = structs.findIndex(({ name }) => name === event.struct);
    if (struct < 0) {
      struct = structs.push(structOf(btf, event.struct, header.size, spec.name)) - 1;
    }
    return { name: event.name, number: Number(enumeratorValue(btf, event.type)), struct };
  });
  return { collector: spec.name, header, structs, types };
}

/** A field of the header by name. Throws `BpfError` where there is none. */
export function headerField(schema: RecordSchema, name: string): RecordField {
  const field = schema.header.fields.find((each) => each.name === name);
  if (field !== undefined) return field;
  throw new BpfError(`records of ${schema.collector}`, `their header has no field ${name}`, {
    hint: "read them with the version that wrote them",
  });
}
