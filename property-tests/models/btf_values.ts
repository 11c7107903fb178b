/** What bytes of a placed struct mean, one bit at a time: the model that codecs are compared with. */

import type { Placed } from "../arbitraries/btf_structs.ts";

/** Bits `start`..`start + width` as an unsigned number, lowest first. */
export function bitsAt(bytes: Uint8Array, start: number, width: number): bigint {
  let value = 0n;
  for (let i = 0; i < width; i++) {
    const bit = (bytes[Math.floor((start + i) / 8)]! >> ((start + i) % 8)) & 1;
    if (bit === 1) value |= 1n << BigInt(i);
  }
  return value;
}

export function signedValue(raw: bigint, width: number, signed: boolean): bigint {
  const negative = signed && width > 0 && raw >> BigInt(width - 1) === 1n;
  return negative ? raw - (1n << BigInt(width)) : raw;
}

/** A value that is neither array nor struct, and where it is. */
export interface Leaf {
  readonly path: string;
  readonly type: Extract<Placed, { signed: boolean }>;
  readonly start_bits: number;
  readonly width_bits: number;
}

export function leavesOf(type: Placed, start = 0, width = 0, path = ""): Leaf[] {
  switch (type.kind) {
    case "array":
      return [...Array(type.length).keys()].flatMap((i) =>
        leavesOf(type.element, start + 8 * i * type.element.size, 0, `${path}[${i}]`),
      );
    case "struct":
    case "union":
      return type.members.flatMap(({ name, offset_bits, width_bits, type: inner }) =>
        leavesOf(inner, start + offset_bits, width_bits, join(path, name)),
      );
    default:
      return [{ path, type, start_bits: start, width_bits: width || 8 * type.size }];
  }
}

/** What `decode` must yield. */
export function modelValue(bytes: Uint8Array, type: Placed, start = 0, width = 0): unknown {
  switch (type.kind) {
    case "array":
      return modelArray(bytes, type, start);
    case "struct":
    case "union":
      return Object.fromEntries(modelEntries(bytes, type, start));
    case "float": {
      const view = new DataView(new ArrayBuffer(8));
      view.setBigUint64(0, bitsAt(bytes, start, 8 * type.size), true);
      return type.size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
    }
    default: {
      const bits = width || 8 * type.size;
      const value = signedValue(bitsAt(bytes, start, bits), bits, type.signed);
      return type.size > 4 ? value : Number(value);
    }
  }
}

function modelArray(
  bytes: Uint8Array,
  { element, length }: Extract<Placed, { kind: "array" }>,
  start: number,
): unknown {
  const indices = [...Array(length).keys()];
  const raw = () => indices.map((i) => Number(bitsAt(bytes, start + 8 * i, 8)));
  if (element.kind === "int" && element.size === 1) {
    if (element.char) return String.fromCharCode(...raw()).replace(/\0.*$/s, "");
    if (!element.signed) return Uint8Array.from(raw());
  }
  return indices.map((i) => modelValue(bytes, element, start + 8 * i * element.size));
}

function modelEntries(
  bytes: Uint8Array,
  { members }: Extract<Placed, { members: unknown }>,
  start: number,
): [string, unknown][] {
  return members.flatMap(({ name, offset_bits, width_bits, type }): [string, unknown][] => {
    const at = start + offset_bits;
    if (name === "" && "members" in type) return modelEntries(bytes, type, at);
    return [[name, modelValue(bytes, type, at, width_bits)]];
  });
}

/** `bytes` with every bit cleared that no decoded value depends on: padding, text after a NUL. */
export function withoutPadding(bytes: Uint8Array, root: Placed): Uint8Array {
  const kept = new Uint8Array(bytes.length);
  const keep = (start: number, width: number) => {
    for (let bit = start; bit < start + width; bit++) {
      kept[Math.floor(bit / 8)]! |= bytes[Math.floor(bit / 8)]! & (1 << (bit % 8));
    }
  };
  const walk = (type: Placed, start: number, width: number): void => {
    if (type.kind === "array") {
      for (let i = 0; i < type.length; i++) {
        const at = start + 8 * i * type.element.size;
        const text = type.element.kind === "int" && type.element.char;
        if (text && bytes[at / 8] === 0) return;
        walk(type.element, at, 0);
      }
    } else if ("members" in type) {
      for (const member of type.members) {
        walk(member.type, start + member.offset_bits, member.width_bits);
      }
    } else keep(start, width || 8 * type.size);
  };
  walk(root, 0, 0);
  return kept;
}

/**
 * Clears what has no unique encoding: text beyond ASCII, and NaN, whose payload a number does not
 * keep. Only clears bits, so that it comes to rest even where union members overlap.
 */
export function canonical(bytes: Uint8Array, root: Placed): Uint8Array {
  const result = bytes.slice();
  const leaves = leavesOf(root);
  for (let changed = true; changed; ) {
    changed = false;
    for (const { type, start_bits } of leaves) {
      const at = start_bits / 8;
      if (type.kind === "int" && type.char && result[at]! > 0x7f) {
        result[at]! &= 0x7f;
        changed = true;
      }
      if (type.kind === "float" && Number.isNaN(modelValue(result, type, start_bits))) {
        result.fill(0, at, at + type.size);
        changed = true;
      }
    }
  }
  return result;
}

function join(path: string, name: string): string {
  if (name === "") return path;
  return path === "" ? name : `${path}.${name}`;
}
