/**
 * What is done to the values of a column before they are split into byte planes. Values are pairs of
 * unsigned 32-bit halves, so that 64 bits are exact without BigInt.
 */
import type { Column } from "./columns.ts";

export const TRANSFORM = {
  /** All values are equal. */
  constant: 0,
  raw: 1,
  /** Difference from the predecessor modulo 2^bits, sign folded into the lowest bit. */
  delta: 2,
  /** Exclusive or with the predecessor. */
  xor: 3,
  /** Index into the distinct values, in the order of their first appearance. */
  dictionary: 4,
} as const;

export const DICTIONARY_ENTRIES_MAX = 256;

/** The values of one column. */
export interface Values {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

export function createValues(capacity: number): Values {
  return { low: new Uint32Array(capacity), high: new Uint32Array(capacity) };
}

export function gather(
  bytes: Uint8Array,
  starts: Uint32Array,
  count: number,
  { offset, width }: Column,
  { low, high }: Values,
): void {
  for (let i = 0; i < count; i++) {
    const at = starts[i]! + offset;
    let value = bytes[at]!;
    if (width > 1) value |= bytes[at + 1]! << 8;
    if (width > 2) value |= bytes[at + 2]! << 16;
    if (width > 3) value |= bytes[at + 3]! << 24;
    low[i] = value;
    if (width > 4) {
      value = bytes[at + 4]!;
      if (width > 5) value |= bytes[at + 5]! << 8;
      if (width > 6) value |= bytes[at + 6]! << 16;
      if (width > 7) value |= bytes[at + 7]! << 24;
      high[i] = value;
    } else {
      high[i] = 0;
    }
  }
}

export function scatter(
  bytes: Uint8Array,
  starts: Uint32Array,
  count: number,
  { offset, width }: Column,
  { low, high }: Values,
): void {
  for (let i = 0; i < count; i++) {
    const at = starts[i]! + offset;
    const least = low[i]!;
    bytes[at] = least;
    if (width > 1) bytes[at + 1] = least >>> 8;
    if (width > 2) bytes[at + 2] = least >>> 16;
    if (width > 3) bytes[at + 3] = least >>> 24;
    if (width > 4) {
      const most = high[i]!;
      bytes[at + 4] = most;
      if (width > 5) bytes[at + 5] = most >>> 8;
      if (width > 6) bytes[at + 6] = most >>> 16;
      if (width > 7) bytes[at + 7] = most >>> 24;
    }
  }
}

export function isConstant({ low, high }: Values, count: number): boolean {
  for (let i = 1; i < count; i++) if (low[i] !== low[0] || high[i] !== high[0]) return false;
  return true;
}

export function canDelta(width: number): boolean {
  return width === 1 || width === 2 || width === 4 || width === 8;
}

/** `out[i]` of record 0 is 0: its value is stored beside the planes. `previous` undefined: `i - 1`. */
export function delta(
  { low, high }: Values,
  count: number,
  width: number,
  previous: Int32Array | undefined,
  out: Values,
): void {
  const shift = width < 4 ? 32 - 8 * width : 0;
  out.low[0] = 0;
  out.high[0] = 0;
  for (let i = 1; i < count; i++) {
    const before = previous === undefined ? i - 1 : previous[i]!;
    const difference = (low[i]! - low[before]!) | 0;
    if (width <= 4) {
      const signed = (difference << shift) >> shift;
      // Folding keeps the width: the highest bit moves to the lowest place.
      out.low[i] = (((signed << 1) ^ (signed >> 31)) << shift) >>> shift;
      out.high[i] = 0;
    } else {
      const borrow = low[i]! < low[before]! ? 1 : 0;
      const most = (high[i]! - high[before]! - borrow) | 0;
      const sign = most >> 31;
      out.low[i] = (difference << 1) ^ sign;
      out.high[i] = ((most << 1) | (difference >>> 31)) ^ sign;
    }
  }
}

/** Undoes `delta` in place; the value of record 0 is already there. */
export function undelta(
  { low, high }: Values,
  count: number,
  width: number,
  previous: Int32Array | undefined,
): void {
  const mask = width < 4 ? (1 << (8 * width)) - 1 : -1;
  for (let i = 1; i < count; i++) {
    const before = previous === undefined ? i - 1 : previous[i]!;
    const sign = -(low[i]! & 1);
    if (width <= 4) {
      low[i] = (low[before]! + ((low[i]! >>> 1) ^ sign)) & mask;
    } else {
      const least = ((low[i]! >>> 1) | (high[i]! << 31)) ^ sign;
      const most = (high[i]! >>> 1) ^ sign;
      const sum = (least >>> 0) + low[before]!;
      low[i] = sum;
      high[i] = most + high[before]! + (sum > 0xffffffff ? 1 : 0);
    }
  }
}

export function xor(
  { low, high }: Values,
  count: number,
  previous: Int32Array | undefined,
  out: Values,
): void {
  out.low[0] = 0;
  out.high[0] = 0;
  for (let i = 1; i < count; i++) {
    const before = previous === undefined ? i - 1 : previous[i]!;
    out.low[i] = low[i]! ^ low[before]!;
    out.high[i] = high[i]! ^ high[before]!;
  }
}

/** Undoes `xor` in place. */
export function unxor(
  { low, high }: Values,
  count: number,
  previous: Int32Array | undefined,
): void {
  for (let i = 1; i < count; i++) {
    const before = previous === undefined ? i - 1 : previous[i]!;
    low[i]! ^= low[before]!;
    high[i]! ^= high[before]!;
  }
}

/** Byte `plane` of every value. */
export function writePlane(
  { low, high }: Values,
  count: number,
  plane: number,
  out: Uint8Array,
  at: number,
): void {
  const half = plane < 4 ? low : high;
  const shift = 8 * (plane & 3);
  for (let i = 0; i < count; i++) out[at + i] = half[i]! >>> shift;
}

/** Adds a plane to values whose other planes are there and whose own bits are zero. */
export function readPlane(
  { low, high }: Values,
  count: number,
  plane: number,
  bytes: Uint8Array,
  at: number,
): void {
  const half = plane < 4 ? low : high;
  const shift = 8 * (plane & 3);
  for (let i = 0; i < count; i++) half[i]! |= bytes[at + i]! << shift;
}
