/** Codecs of integers, enums, pointers and floats. */

import { bytesCodec } from "./codec_arrays.ts";
import { badValue, display, type ValueCodec } from "./codec_values.ts";
import { scalarReader, scalarReaderPair, scalarWriter, scalarWriterPair } from "./fields.ts";
import type { Field } from "./layout.ts";

export function scalarCodec(field: Field): ValueCodec {
  if (field.kind === "float") return floatCodec(field);
  if (field.bits > 64) return wideCodec(field);
  return field.size > 4 ? bigintCodec(field) : numberCodec(field);
}

function floatCodec(field: Field): ValueCodec {
  if (field.size !== 4 && field.size !== 8) return bytesCodec(field.offset, field.size);
  const read = scalarReader(field);
  const write = scalarWriter(field);
  return {
    values: 1,
    read,
    write(view, base, value, path) {
      if (typeof value !== "number") badValue(path, `is ${display(value)}, not a number`);
      // A NaN that is there already keeps its payload.
      if (Number.isNaN(value) && Number.isNaN(read(view, base))) return;
      write(view, base, value);
    },
  };
}

function numberCodec(field: Field): ValueCodec {
  const write = scalarWriter(field);
  const range = rangeOf(field);
  return {
    values: 1,
    read: scalarReader(field),
    write(view, base, value, path) {
      write(view, base, Number(checkedInteger(value, range, path)));
    },
  };
}

function bigintCodec(field: Field): ValueCodec {
  const read = scalarReaderPair(field);
  const write = scalarWriterPair(field);
  const range = rangeOf(field);
  return {
    values: 1,
    read(view, base) {
      const raw = (BigInt(read.high(view, base)) << 32n) | BigInt(read.low(view, base));
      return field.signed ? BigInt.asIntN(64, raw) : raw;
    },
    write(view, base, value, path) {
      const raw = BigInt.asUintN(64, checkedInteger(value, range, path));
      write.low(view, base, Number(raw & 0xffffffffn));
      write.high(view, base, Number(raw >> 32n));
    },
  };
}

/** 128-bit integers; nothing narrower takes more than 64 bits. */
function wideCodec(field: Field): ValueCodec {
  const { offset } = field;
  const range = rangeOf(field);
  return {
    values: 1,
    read(view, base) {
      const low = view.getBigUint64(base + offset, true);
      const raw = (view.getBigUint64(base + offset + 8, true) << 64n) | low;
      return field.signed ? BigInt.asIntN(128, raw) : raw;
    },
    write(view, base, value, path) {
      const integer = checkedInteger(value, range, path);
      view.setBigUint64(base + offset, BigInt.asUintN(64, integer), true);
      view.setBigUint64(base + offset + 8, BigInt.asUintN(64, integer >> 64n), true);
    },
  };
}

interface Range {
  readonly low: bigint;
  readonly high: bigint;
}

/** An enum takes both signs: compilers before BTF's sign flag leave open which one it has. */
function rangeOf(field: Field): Range {
  const bits = BigInt(field.bits);
  const mayBeNegative = field.signed || field.kind === "enum";
  return {
    low: mayBeNegative ? -(1n << (bits - 1n)) : 0n,
    high: (1n << (field.signed ? bits - 1n : bits)) - 1n,
  };
}

function checkedInteger(value: unknown, range: Range, path: string): bigint {
  const integer = toInteger(value);
  if (integer === undefined) return badValue(path, `is ${display(value)}, not an integer`);
  if (integer < range.low || integer > range.high) {
    badValue(path, `is ${integer}, outside ${range.low}..${range.high}`);
  }
  return integer;
}

function toInteger(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  return undefined;
}
