/**
 * What a CO-RE relocation asks for, computed from a path: offsets, sizes, shifts, ids, existence.
 * Each is computed twice, in the object's types (what the compiler put into the instruction) and in
 * the kernel's (what belongs there).
 */

import type { Btf, BtfType } from "#core/btf/btf.ts";
import { sizeOf, skipModifiers, typeName } from "#core/btf/queries.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import type { AccessPath } from "./core_access.ts";

/** `enum bpf_core_relo_kind`. */
export const CORE_KIND = {
  FIELD_BYTE_OFFSET: 0,
  FIELD_BYTE_SIZE: 1,
  FIELD_EXISTS: 2,
  FIELD_SIGNED: 3,
  FIELD_LSHIFT_U64: 4,
  FIELD_RSHIFT_U64: 5,
  TYPE_ID_LOCAL: 6,
  TYPE_ID_TARGET: 7,
  TYPE_EXISTS: 8,
  TYPE_SIZE: 9,
  ENUMVAL_EXISTS: 10,
  ENUMVAL_VALUE: 11,
  TYPE_MATCHES: 12,
} as const;

export const CORE_KIND_NAMES: readonly string[] = [
  "byte offset",
  "byte size",
  "existence",
  "signedness",
  "left shift",
  "right shift",
  "local type id",
  "type id",
  "existence",
  "size",
  "existence",
  "value",
  "match",
];

export interface CoreValue {
  /** As 64 unsigned bits. */
  readonly value: bigint;
  /** Whether the compiler's value is certain, so that the instruction must hold it. */
  readonly certain: boolean;
  /** Size in bytes and type of the field, for offsets of whole fields; size 0 otherwise. */
  readonly size: number;
  readonly typeId: number;
}

function plain(value: number | bigint, certain = true): CoreValue {
  return { value: BigInt.asUintN(64, BigInt(value)), certain, size: 0, typeId: 0 };
}

export function isFieldKind(kind: number): boolean {
  return kind <= CORE_KIND.FIELD_RSHIFT_U64;
}

export function isEnumeratorKind(kind: number): boolean {
  return kind === CORE_KIND.ENUMVAL_EXISTS || kind === CORE_KIND.ENUMVAL_VALUE;
}

/**
 * The value of `kind` at `path`, or undefined where nothing can take its place (the kernel has no
 * such field or enumerator, and code that uses it must not run). Throws `BpfError` where the kind
 * makes no sense for the path.
 */
export function coreValue(
  btf: Btf,
  path: AccessPath | undefined,
  kind: number,
): CoreValue | undefined {
  if (isFieldKind(kind)) return fieldValue(btf, path, kind);
  if (isEnumeratorKind(kind)) return enumeratorValue(btf, path, kind);
  return typeValue(btf, path, kind);
}

function typeValue(btf: Btf, path: AccessPath | undefined, kind: number): CoreValue {
  if (path === undefined) return plain(0);
  switch (kind) {
    case CORE_KIND.TYPE_ID_LOCAL:
    case CORE_KIND.TYPE_ID_TARGET:
      return plain(path.rootTypeId, false);
    case CORE_KIND.TYPE_SIZE:
      return plain(sizeOf(btf, path.rootTypeId));
    default:
      return plain(1);
  }
}

function enumeratorValue(
  btf: Btf,
  path: AccessPath | undefined,
  kind: number,
): CoreValue | undefined {
  if (kind === CORE_KIND.ENUMVAL_EXISTS) return plain(path === undefined ? 0 : 1);
  if (path === undefined) return undefined;
  const { typeId, index } = path.accessors[0]!;
  const type = btf.types[typeId] as BtfType & { kind: "enum" };
  const { value } = type.enumerators[index]!;
  // Values of 32 bits are sign-extended, those of unsigned enums too, as libbpf has it.
  return plain(type.size === 8 ? value : BigInt.asIntN(32, value));
}

function fieldValue(btf: Btf, path: AccessPath | undefined, kind: number): CoreValue | undefined {
  if (kind === CORE_KIND.FIELD_EXISTS) return plain(path === undefined ? 0 : 1);
  if (path === undefined) return undefined;
  const last = path.accessors.at(-1)!;
  if (last.name === "") return elementValue(btf, path, kind);
  const struct = btf.types[last.typeId] as BtfType & { kind: "struct" };
  const member = struct.members[last.index]!;
  const typeId = skipModifiers(btf, member.typeId);
  const type = btf.types[typeId]!;
  const bitField = member.bitfieldSize_bits > 0;
  const place = bitField
    ? bitFieldPlace(path.offset_bits, member.bitfieldSize_bits, sizeOf(btf, typeId))
    : wholePlace(path.offset_bits, sizeOf(btf, typeId));
  switch (kind) {
    case CORE_KIND.FIELD_BYTE_OFFSET: {
      if (bitField) return plain(place.offset, false);
      return { ...plain(place.offset), size: elementSize(btf, type), typeId };
    }
    case CORE_KIND.FIELD_BYTE_SIZE:
      return plain(place.size, !bitField);
    case CORE_KIND.FIELD_SIGNED:
      return plain((type.kind === "int" || type.kind === "enum") && type.signed ? 1 : 0);
    case CORE_KIND.FIELD_LSHIFT_U64:
      return plain(64 - (path.offset_bits + place.size_bits - place.offset * 8), !bitField);
    default:
      return plain(64 - place.size_bits);
  }
}

/** Path that ends in an index: nothing but place and size can be asked of an element. */
function elementValue(btf: Btf, path: AccessPath, kind: number): CoreValue {
  const { typeId } = path.accessors.at(-1)!;
  const size = sizeOf(btf, typeId);
  if (kind === CORE_KIND.FIELD_BYTE_SIZE) return plain(size);
  if (kind === CORE_KIND.FIELD_BYTE_OFFSET) {
    return { ...plain(Math.floor(path.offset_bits / 8)), size, typeId };
  }
  throw new BpfError("relocate", `an element of an array has no ${CORE_KIND_NAMES[kind]}`);
}

interface Place {
  readonly offset: number;
  readonly size: number;
  readonly size_bits: number;
}

function wholePlace(offset_bits: number, size: number): Place {
  return { offset: Math.floor(offset_bits / 8), size, size_bits: size * 8 };
}

/** The smallest aligned integer, of the field's size or larger, that holds the whole bit field. */
function bitFieldPlace(offset_bits: number, size_bits: number, typeSize: number): Place {
  let size = typeSize;
  const start = () => Math.floor(Math.floor(offset_bits / 8) / size) * size;
  if (size === 0) throw new BpfError("relocate", "bit field of a type without a size");
  while (offset_bits + size_bits - start() * 8 > size * 8) {
    if (size >= 8) {
      throw new BpfError("relocate", "the bit field cannot be read with one 64-bit load", {
        errno: ERRNO.E2BIG,
      });
    }
    size *= 2;
  }
  return { offset: start(), size, size_bits };
}

/** Size of a field, or of one element where it is an array: what one instruction accesses. */
function elementSize(btf: Btf, type: BtfType): number {
  let element = type;
  let typeId = 0;
  while (element.kind === "array") {
    typeId = skipModifiers(btf, element.elementTypeId);
    element = btf.types[typeId]!;
  }
  if (element.kind === "pointer") return 8;
  if ("size" in element) return element.size;
  throw new BpfError("relocate", `${typeName(btf, typeId)} has no size`);
}

/**
 * Whether an instruction that reads or writes `local` may be made to access as many bytes as
 * `target` has: pointers and unsigned integers, whose upper bits are zero either way.
 */
export function resizable(local: BtfType, target: BtfType): boolean {
  if (local.kind === "pointer" && target.kind === "pointer") return true;
  return local.kind === "int" && target.kind === "int" && !local.signed && !target.signed;
}
