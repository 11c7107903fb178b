/** Codecs of arrays: text, bytes, and everything else. */

import type { Btf } from "./btf.ts";
import {
  type BtfValue,
  type BuildCodec,
  badValue,
  display,
  type ValueCodec,
} from "./codec_values.ts";
import { type Field, rootField } from "./layout.ts";
import { isChar, typeAt } from "./queries.ts";

/** The codec of an array field at offset 0. */
export function arrayCodec(btf: Btf, field: Field, build: BuildCodec): ValueCodec {
  const type = typeAt(btf, field.typeId);
  if (type.kind !== "array") throw new TypeError(`${field.kind} is not an array`);
  const element = rootField(btf, type.elementTypeId);
  const inner = typeAt(btf, element.typeId);
  if (inner.kind === "int" && inner.size === 1 && !element.bitField) {
    if (isChar(btf, element.typeId)) return textCodec(type.length);
    if (!inner.signed && !inner.bool) return bytesCodec(0, type.length);
  }
  return listCodec(type.length, element.size, build(element));
}

/** `length` raw bytes. */
export function bytesCodec(offset: number, length: number): ValueCodec {
  return {
    values: 1,
    read: (view, base) => bytesAt(view, base + offset, length).slice(),
    write(view, base, value, path) {
      const bytes = toBytes(value);
      if (bytes === undefined) return badValue(path, `is ${display(value)}, not bytes`);
      checkLength(bytes.length, length, "bytes", path);
      bytesAt(view, base + offset, bytes.length).set(bytes);
    },
  };
}

function textCodec(length: number): ValueCodec {
  const raw = bytesCodec(0, length);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const encoder = new TextEncoder();
  return {
    values: 1,
    read(view, base) {
      // A copy, because a TextDecoder refuses memory that is shared between threads.
      const bytes = bytesAt(view, base, length).slice();
      const end = bytes.indexOf(0);
      return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
    },
    write(view, base, value, path) {
      if (typeof value !== "string") return raw.write(view, base, value, path);
      if (value.includes("\0")) badValue(path, "has a NUL inside", "pass bytes to keep it");
      const bytes = encoder.encode(value);
      checkLength(bytes.length, length, "bytes of UTF-8", path);
      bytesAt(view, base, bytes.length).set(bytes);
      if (bytes.length < length) view.setUint8(base + bytes.length, 0);
    },
  };
}

function listCodec(length: number, stride: number, element: ValueCodec): ValueCodec {
  return {
    values: 1 + length * element.values,
    read(view, base) {
      const list: BtfValue[] = [];
      for (let i = 0; i < length; i++) list.push(element.read(view, base + i * stride));
      return list;
    },
    write(view, base, value, path) {
      if (!isList(value)) return badValue(path, `is ${display(value)}, not an array`);
      checkLength(value.length, length, "elements", path);
      for (let i = 0; i < value.length; i++) {
        element.write(view, base + i * stride, value[i], `${path}[${i}]`);
      }
    },
  };
}

function bytesAt(view: DataView, offset: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, length);
}

function checkLength(given: number, length: number, unit: string, path: string): void {
  if (given > length) badValue(path, `has ${given} ${unit}, more than the array's ${length}`);
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function toBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (!Array.isArray(value)) return undefined;
  const fits = value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
  return fits ? Uint8Array.from(value) : undefined;
}
