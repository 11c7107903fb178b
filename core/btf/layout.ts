/**
 * Where the fields of a C type lie. Every offset that the project reads or writes comes from here,
 * and so from the BTF of the compiled object.
 */

import { BpfError } from "../errors.ts";
import type { Btf, BtfMember, BtfType } from "./btf.ts";
import { describeType, sizeOf, skipModifiers, typeAt } from "./queries.ts";

export type FieldKind = "int" | "float" | "pointer" | "enum" | "array" | "struct" | "union";

export interface Field {
  /** From the layout's type, dots between: `"header.pid"`; elements as `"args[2]"`. */
  readonly path: string;
  readonly kind: FieldKind;
  /** The type behind typedefs and modifiers. */
  readonly typeId: number;
  /** Byte that holds the field's first bit, counted from the start of the layout's type. */
  readonly offset: number;
  /** Size of the declared type in bytes; that of a bit field is its declared type's, too. */
  readonly size: number;
  /** First bit within that byte, 0 being the lowest; 0 but for bit fields. */
  readonly bitOffset: number;
  /** Width in bits: 8 × size but for bit fields. */
  readonly bits: number;
  readonly bitField: boolean;
  /** Of integers and enums. */
  readonly signed: boolean;
}

export interface Layout {
  readonly btf: Btf;
  /** The type behind typedefs and modifiers. */
  readonly typeId: number;
  /** For messages: `"struct event"`. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** The type as a field of itself: path `""`, offset 0. */
  readonly root: Field;
  /**
   * All fields, in declaration order: a struct or union member stands before its own members,
   * members of anonymous ones stand where C sees them, an array is one field.
   */
  readonly fields: readonly Field[];
}

const OPERATION = "lay out BTF type";
/** Twice the kernel's own bound on nested types; anonymous levels count twice. */
const MAX_DEPTH = 128;
/** Visits of members; bounds what a small hostile type graph can blow up to. */
const MAX_VISITS = 1 << 16;

/**
 * The layout of a struct, union, array or scalar; of a variable, that of its type.
 *
 * Throws `BpfError` for a type without a size, for fields that lie outside their struct, and for
 * more than 65,536 fields.
 */
export function layoutOf(btf: Btf, typeId: number): Layout {
  const root = rootField(btf, typeId);
  const fields: Field[] = [];
  flatten(btf, root, fields, { visits: 0, depth: 0 });
  return {
    btf,
    typeId: root.typeId,
    name: describeType(btf, typeId),
    size: root.size,
    root,
    fields,
  };
}

/** A type as the one field that is all of it. */
export function rootField(btf: Btf, typeId: number): Field {
  const declared = typeAt(btf, skipModifiers(btf, typeId));
  const dataId = declared.kind === "variable" ? declared.typeId : typeId;
  return fieldOf(btf, "", dataId, 0, 0, typeId);
}

/**
 * The direct members of a struct or union field, those of anonymous structs and unions merged as C
 * does. Paths and offsets continue those of `field`. Other kinds have none.
 */
export function membersOf(btf: Btf, field: Field): Field[] {
  const members: Field[] = [];
  collect(btf, field, field.path, members, { visits: 0, depth: 0 });
  rejectDuplicates(members);
  return members;
}

/** Element `index` of an array field. Throws `BpfError` past the end. */
export function elementOf(btf: Btf, field: Field, index: number): Field {
  const type = typeAt(btf, field.typeId);
  if (type.kind !== "array") return fail(`${subject(btf, field)} is a ${field.kind}, not an array`);
  if (index >= type.length) {
    fail(`${field.path}[${index}] is past the end, the array has ${type.length} elements`);
  }
  const path = `${field.path}[${index}]`;
  const offset_bits = 8 * (field.offset + index * sizeOf(btf, type.elementTypeId));
  return fieldOf(btf, path, type.elementTypeId, offset_bits, 0, field.typeId);
}

/** The path of a member of what is at another path. */
export function joinPath(prefix: string, name: string): string {
  return prefix === "" ? name : `${prefix}.${name}`;
}

interface Walk {
  visits: number;
  depth: number;
}

function flatten(btf: Btf, field: Field, into: Field[], walk: Walk): void {
  const members: Field[] = [];
  enter(btf, walk, field);
  collect(btf, field, field.path, members, walk);
  rejectDuplicates(members);
  for (const member of members) {
    into.push(member);
    if (member.kind === "struct" || member.kind === "union") flatten(btf, member, into, walk);
  }
  walk.depth--;
}

function collect(btf: Btf, field: Field, prefix: string, into: Field[], walk: Walk): void {
  const type = typeAt(btf, field.typeId);
  if (type.kind !== "struct" && type.kind !== "union") return;
  enter(btf, walk, field);
  for (const member of type.members) {
    if (++walk.visits > MAX_VISITS)
      fail(`${subject(btf, field)} has more than ${MAX_VISITS} fields`);
    const inner = memberField(btf, field, type.size, member, joinPath(prefix, member.name));
    if (member.name !== "") into.push(inner);
    else collect(btf, inner, prefix, into, walk);
  }
  walk.depth--;
}

function rejectDuplicates(members: readonly Field[]): void {
  const seen = new Set<string>();
  for (const { path } of members) {
    if (seen.has(path)) fail(`"${path}" is declared twice`);
    seen.add(path);
  }
}

function enter(btf: Btf, walk: Walk, field: Field): void {
  if (++walk.depth > MAX_DEPTH) fail(`${subject(btf, field)} is nested too deeply`);
}

function memberField(
  btf: Btf,
  parent: Field,
  parentSize: number,
  member: BtfMember,
  path: string,
): Field {
  const start = 8 * parent.offset + member.offset_bits;
  const width = member.bitfieldSize_bits;
  const field = fieldOf(btf, path, member.typeId, start, width, parent.typeId);
  const end = 8 * (field.offset - parent.offset) + field.bitOffset + field.bits;
  if (end > 8 * parentSize) {
    const name = member.name === "" ? "an anonymous member" : `"${member.name}"`;
    fail(`${name} ends at bit ${end} of ${describeType(btf, parent.typeId)}, past its size`);
  }
  return field;
}

/** `width_bits` 0 means: not a bit field. `ownerId` is for messages. */
function fieldOf(
  btf: Btf,
  path: string,
  declaredId: number,
  start_bits: number,
  width_bits: number,
  ownerId: number,
): Field {
  const typeId = skipModifiers(btf, declaredId);
  const type = typeAt(btf, typeId);
  const size = sizeOf(btf, typeId);
  const where = () => `"${path}" in ${describeType(btf, ownerId)}`;
  if (!isFieldKind(type.kind)) return fail(`${where()} is a ${type.kind}, which is no data`);
  const position = bitPosition(type, size, start_bits, width_bits, where);
  return {
    path,
    kind: type.kind,
    typeId,
    offset: Math.floor(position.start / 8),
    size,
    bitOffset: position.start % 8,
    bits: position.width,
    bitField: position.bitField,
    signed: (type.kind === "int" || type.kind === "enum") && type.signed,
  };
}

function bitPosition(
  type: BtfType,
  size: number,
  start: number,
  width: number,
  where: () => string,
): { readonly start: number; readonly width: number; readonly bitField: boolean } {
  if (width === 0) {
    if (start % 8 !== 0) fail(`${where()} starts at bit ${start}, between two bytes`);
    const whole = type.kind !== "int" || type.bits === 8 * size;
    if (whole) return { start, width: 8 * size, bitField: false };
    // Old compilers put a bit field's position into an integer type of its own.
    return bitPosition(type, size, start + type.bitOffset, type.bits, where);
  }
  if (type.kind !== "int" && type.kind !== "enum")
    fail(`${where()} is a bit field of ${type.kind}`);
  if (width > 8 * size || width > 64) fail(`${where()} is a bit field of ${width} bits`);
  return { start, width, bitField: true };
}

function isFieldKind(kind: BtfType["kind"]): kind is FieldKind {
  switch (kind) {
    case "int":
    case "float":
    case "pointer":
    case "enum":
    case "array":
    case "struct":
    case "union":
      return true;
    default:
      return false;
  }
}

function subject(btf: Btf, field: Field): string {
  return field.path === "" ? describeType(btf, field.typeId) : `"${field.path}"`;
}

function fail(problem: string): never {
  throw new BpfError(OPERATION, problem);
}
