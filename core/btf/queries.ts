/** Questions about types: find one by name, look through typedefs, size, alignment, a C-like name. */

import { BpfError } from "../errors.ts";
import type { Btf, BtfKind, BtfType } from "./btf.ts";

/** Pointers are 8 bytes in BPF, whatever the host. */
export const POINTER_BYTES = 8;

const MAX_SIZE_BYTES = 0xffffffff;
const MAX_NAME_DEPTH = 16;
/** Twice the kernel's own bound on nested types (`MAX_RESOLVE_DEPTH`). */
const MAX_DEPTH = 64;

/** Ids by name, built on the first search of a `Btf` and gone with it. */
const indexes = new WeakMap<Btf, Map<string, number[]>>();

/** The type with this id. Throws `BpfError` for an id out of range. */
export function typeAt(btf: Btf, id: number): BtfType {
  const type = btf.types[id];
  if (type === undefined) {
    throw new BpfError("look up BTF type", `id ${id} is outside 0..${btf.types.length - 1}`);
  }
  return type;
}

/** Id of the first type of this name and kind, or undefined. Anonymous types are not found. */
export function findType(btf: Btf, name: string, kind: BtfKind): number | undefined {
  return findTypes(btf, name).find((id) => btf.types[id]?.kind === kind);
}

/** Ids of all types of this name, ascending, whatever their kind. */
export function findTypes(btf: Btf, name: string): readonly number[] {
  let index = indexes.get(btf);
  if (index === undefined) {
    index = buildIndex(btf);
    indexes.set(btf, index);
  }
  return index.get(name) ?? [];
}

function buildIndex(btf: Btf): Map<string, number[]> {
  const index = new Map<string, number[]>();
  for (let id = 1; id < btf.types.length; id++) {
    const { name } = btf.types[id]!;
    if (name === "") continue;
    const ids = index.get(name);
    if (ids === undefined) index.set(name, [id]);
    else ids.push(id);
  }
  return index;
}

/** The type behind typedefs, const, volatile, restrict and type tags. */
export function skipModifiers(btf: Btf, id: number): number {
  let current = id;
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    const type = typeAt(btf, current);
    switch (type.kind) {
      case "typedef":
      case "volatile":
      case "const":
      case "restrict":
      case "type_tag":
        current = type.typeId;
        break;
      default:
        return current;
    }
  }
  throw new BpfError("look up BTF type", `type ${id} has more than ${MAX_DEPTH} modifiers`);
}

/**
 * Size in bytes, as C's `sizeof`. Throws `BpfError` for what has none: void, functions, forward
 * declarations, and arrays beyond 4 GiB.
 */
export function sizeOf(btf: Btf, id: number): number {
  let count = 1;
  let current = id;
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    const type = typeAt(btf, skipModifiers(btf, current));
    if (type.kind !== "array") return checkedSize(btf, id, count * plainSize(btf, id, type));
    count = checkedSize(btf, id, count * type.length);
    current = type.elementTypeId;
  }
  throw new BpfError("size BTF type", `type ${id} has more than ${MAX_DEPTH} dimensions`);
}

function plainSize(btf: Btf, id: number, type: BtfType): number {
  switch (type.kind) {
    case "int":
    case "float":
    case "enum":
    case "struct":
    case "union":
    case "section":
      return type.size;
    case "pointer":
      return POINTER_BYTES;
    case "variable":
      return sizeOf(btf, type.typeId);
    default:
      throw new BpfError("size BTF type", `${describeType(btf, id)} has no size`, {
        hint: "include the header that defines it",
      });
  }
}

function checkedSize(btf: Btf, id: number, size: number): number {
  if (size <= MAX_SIZE_BYTES) return size;
  throw new BpfError("size BTF type", `${describeType(btf, id)} is larger than 4 GiB`);
}

/**
 * Alignment in bytes, as C's `_Alignof` on the BPF target. BTF does not record it: a struct that
 * is packed shows by a member off its natural place, or by a size that is no multiple, and has 1.
 */
export function alignOf(btf: Btf, id: number): number {
  return alignment(btf, id, 0, new Map());
}

/** `known` keeps the work linear where many members share a type. */
function alignment(btf: Btf, id: number, depth: number, known: Map<number, number>): number {
  if (depth > MAX_DEPTH) {
    throw new BpfError("align BTF type", `${describeType(btf, id)} is nested too deeply`);
  }
  const resolved = skipModifiers(btf, id);
  let result = known.get(resolved);
  if (result === undefined) {
    result = computeAlignment(btf, resolved, depth, known);
    known.set(resolved, result);
  }
  return result;
}

function computeAlignment(btf: Btf, id: number, depth: number, known: Map<number, number>): number {
  const type = typeAt(btf, id);
  switch (type.kind) {
    case "int":
    case "float":
    case "enum":
      // The largest power of two that divides the size: 16 for __int128, 4 for x87 numbers.
      return type.size & -type.size;
    case "pointer":
      return POINTER_BYTES;
    case "array":
      return alignment(btf, type.elementTypeId, depth + 1, known);
    case "struct":
    case "union": {
      let result = 1;
      for (const member of type.members) {
        const natural = alignment(btf, member.typeId, depth + 1, known);
        const bitField = member.bitfieldSize_bits !== 0;
        if (!bitField && member.offset_bits % (natural * 8) !== 0) return 1;
        result = Math.max(result, natural);
      }
      return type.size % result === 0 ? result : 1;
    }
    default:
      throw new BpfError("align BTF type", `${describeType(btf, id)} has no alignment`);
  }
}

/**
 * Whether a type is C's `char`, so that arrays of it are text. Clang does not set BTF's char flag;
 * `unsigned char` and `signed char` are numbers.
 */
export function isChar(btf: Btf, id: number): boolean {
  const type = typeAt(btf, skipModifiers(btf, id));
  return type.kind === "int" && type.size === 1 && (type.char || type.name === "char");
}

/** The type as C would write it, for messages: `"struct event"`, `"const char *"`, `"u8 [3][5]"`. */
export function typeName(btf: Btf, id: number): string {
  return nameAtDepth(btf, id, 0);
}

/** `typeName` plus the id, since names need not be unique. */
export function describeType(btf: Btf, id: number): string {
  return `${typeName(btf, id)} (type ${id})`;
}

function nameAtDepth(btf: Btf, id: number, depth: number): string {
  const type = btf.types[id];
  if (type === undefined) return `type ${id}`;
  if (depth > MAX_NAME_DEPTH) return "…";
  const inner = (typeId: number) => nameAtDepth(btf, typeId, depth + 1);
  switch (type.kind) {
    case "void":
      return "void";
    case "pointer": {
      const pointee = inner(type.typeId);
      return pointee.endsWith("*") ? `${pointee}*` : `${pointee} *`;
    }
    case "array": {
      const element = inner(type.elementTypeId);
      const nested = btf.types[type.elementTypeId]?.kind === "array";
      const at = nested ? element.indexOf("[") : element.length;
      return `${element.slice(0, at)}${nested ? "" : " "}[${type.length}]${element.slice(at)}`;
    }
    case "struct":
    case "union":
    case "enum":
      return `${type.kind} ${type.name === "" ? "(anonymous)" : type.name}`;
    case "forward":
      return `${type.union ? "union" : "struct"} ${type.name}`;
    case "volatile":
    case "const":
    case "restrict":
      return `${type.kind} ${inner(type.typeId)}`;
    case "type_tag":
      return inner(type.typeId);
    case "prototype":
      return `${inner(type.returnTypeId)} (…)`;
    case "decl_tag":
      return `tag "${type.name}"`;
    case "function":
    case "variable":
    case "section":
      return `${type.kind} ${type.name}`;
    default:
      return type.name;
  }
}
