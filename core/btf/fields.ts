/**
 * Access to single fields on the hot path: each function below looks a field up once and returns a
 * closure that reads or writes it in any record, without allocating.
 */

import { BpfError } from "../errors.ts";
import {
  bitsReader,
  bitsWriter,
  type NumberReader,
  type NumberWriter,
  signedBitsReader,
} from "./bits.ts";
import { findField } from "./find_field.ts";
import type { Field, Layout } from "./layout.ts";

export type { NumberReader, NumberWriter };

const TWO_32 = 2 ** 32;

/** Both halves of a value of up to 64 bits, each as an unsigned 32-bit number. */
export interface ReaderPair {
  readonly low: NumberReader;
  readonly high: NumberReader;
}

export interface WriterPair {
  readonly low: NumberWriter;
  /** Does nothing for a field of at most 32 bits. */
  readonly high: NumberWriter;
}

/**
 * Reads an integer, enum, pointer, float or bit field as a number. Values beyond ±2^53 are rounded
 * to the nearest double: use `fieldReaderPair` for identifiers and hashes.
 */
export function fieldReader(layout: Layout, path: string): NumberReader {
  return scalarReader(scalarField(layout, path));
}

/**
 * Reads a field as 64 bits in two's complement, in two halves: exact at any width. A narrower
 * signed field is sign-extended. Not for floats.
 */
export function fieldReaderPair(layout: Layout, path: string): ReaderPair {
  return scalarReaderPair(integerField(layout, path));
}

/**
 * Writes a number to an integer, enum, pointer, float or bit field. As in C, an integer is cut to
 * the field's width; a fraction is dropped. Exact within ±2^53.
 */
export function fieldWriter(layout: Layout, path: string): NumberWriter {
  return scalarWriter(scalarField(layout, path));
}

/** Writes a field of up to 64 bits in two halves. Not for floats. */
export function fieldWriterPair(layout: Layout, path: string): WriterPair {
  return scalarWriterPair(integerField(layout, path));
}

/** Where the bytes of a field lie: for addresses, names and whole structs. Not for bit fields. */
export function bytesField(
  layout: Layout,
  path: string,
): { readonly offset: number; readonly length: number } {
  const field = findField(layout, path);
  if (field.bitField) fail(layout, path, "is a bit field", "use fieldReader");
  return { offset: field.offset, length: field.size };
}

function scalarField(layout: Layout, path: string): Field {
  const field = findField(layout, path);
  if (!isScalar(field)) {
    fail(layout, path, `is a ${field.kind}`, "name a member or element, or use bytesField");
  }
  if (field.bits > 64 || (field.kind === "float" && field.size !== 4 && field.size !== 8)) {
    fail(layout, path, `is a ${field.kind} of ${field.bits} bits`, "use bytesField");
  }
  return field;
}

function integerField(layout: Layout, path: string): Field {
  const field = scalarField(layout, path);
  if (field.kind === "float") fail(layout, path, "is a float", "use fieldReader or fieldWriter");
  return field;
}

function isScalar(field: Field): boolean {
  return field.kind !== "array" && field.kind !== "struct" && field.kind !== "union";
}

/** The reader of a field that is known to be a scalar of at most 64 bits. */
export function scalarReader(field: Field): NumberReader {
  const { offset, bitOffset, bits } = field;
  if (field.kind === "float") {
    if (field.size === 4) return (view, base) => view.getFloat32(base + offset, true);
    return (view, base) => view.getFloat64(base + offset, true);
  }
  const reader = field.signed ? signedBitsReader : bitsReader;
  if (bits <= 32) return reader(offset, bitOffset, bits);
  if (bits === 64 && bitOffset === 0) {
    if (field.signed) {
      return (view, base) =>
        view.getInt32(base + offset + 4, true) * TWO_32 + view.getUint32(base + offset, true);
    }
    return (view, base) =>
      view.getUint32(base + offset + 4, true) * TWO_32 + view.getUint32(base + offset, true);
  }
  const low = bitsReader(offset, bitOffset, 32);
  const high = reader(offset + 4, bitOffset, bits - 32);
  return (view, base) => high(view, base) * TWO_32 + low(view, base);
}

/** As `scalarReader`, for all but floats. */
export function scalarReaderPair(field: Field): ReaderPair {
  const { offset, bitOffset, bits } = field;
  const reader = field.signed ? signedBitsReader : bitsReader;
  if (bits > 32) {
    const high = reader(offset + 4, bitOffset, bits - 32);
    return {
      low: bitsReader(offset, bitOffset, 32),
      high: (view, base) => high(view, base) >>> 0,
    };
  }
  const low = reader(offset, bitOffset, bits);
  if (!field.signed) return { low, high: () => 0 };
  return {
    low: (view, base) => low(view, base) >>> 0,
    high: (view, base) => (low(view, base) < 0 ? 0xffffffff : 0),
  };
}

/** The writer of a field that is known to be a scalar of at most 64 bits. */
export function scalarWriter(field: Field): NumberWriter {
  const { offset } = field;
  if (field.kind === "float") {
    if (field.size === 4) return (view, base, value) => view.setFloat32(base + offset, value, true);
    return (view, base, value) => view.setFloat64(base + offset, value, true);
  }
  const { low, high } = scalarWriterPair(field);
  // DataView cuts modulo 2^32, as C does for integers.
  if (field.bits <= 32) return low;
  return (view, base, value) => {
    const whole = Math.trunc(value);
    low(view, base, whole);
    high(view, base, Math.floor(whole / TWO_32));
  };
}

/** As `scalarWriter`, for all but floats. */
export function scalarWriterPair(field: Field): WriterPair {
  const { offset, bitOffset, bits } = field;
  if (bits <= 32) return { low: bitsWriter(offset, bitOffset, bits), high: () => {} };
  return {
    low: bitsWriter(offset, bitOffset, 32),
    high: bitsWriter(offset + 4, bitOffset, bits - 32),
  };
}

function fail(layout: Layout, path: string, problem: string, hint: string): never {
  throw new BpfError("access BTF field", `"${path}" of ${layout.name} ${problem}`, { hint });
}
