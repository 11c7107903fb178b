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
  /** Undefined contents where columns of up to four bytes are transformed. */
  readonly high: Uint32Array;
  /** Bits that some value has. */
  lowBits: number;
  highBits: number;
}

export function createValues(capacity: number): Values {
  return {
    low: new Uint32Array(capacity),
    high: new Uint32Array(capacity),
    lowBits: 0,
    highBits: 0,
  };
}

/** Reads a column; the high halves of a narrow one are 0. Returns whether all values are equal. */
export function gather(
  view: DataView,
  starts: Uint32Array,
  count: number,
  column: Column,
  values: Values,
): boolean {
  const { offset, width } = column;
  if (width <= 4) {
    values.high.fill(0, 0, count);
    values.highBits = 0;
    return gatherLow(view, starts, count, column, values);
  }
  const low = { offset, width: 4 };
  const high = { offset: offset + 4, width: width - 4 };
  const lowEqual = gatherLow(view, starts, count, low, values);
  const halves = { low: values.high, high: values.low, lowBits: 0, highBits: 0 };
  const highEqual = gatherLow(view, starts, count, high, halves);
  values.highBits = halves.lowBits;
  return lowEqual && highEqual;
}

/** A loop for each width: this reads every byte of every record. */
function gatherLow(
  view: DataView,
  starts: Uint32Array,
  count: number,
  { offset, width }: Column,
  values: Values,
): boolean {
  const { low } = values;
  let all = -1;
  let any = 0;
  if (width === 4) {
    for (let i = 0; i < count; i++) {
      const value = view.getInt32(starts[i]! + offset, true);
      low[i] = value;
      any |= value;
      all &= value;
    }
  } else if (width === 2) {
    for (let i = 0; i < count; i++) {
      const value = view.getUint16(starts[i]! + offset, true);
      low[i] = value;
      any |= value;
      all &= value;
    }
  } else if (width === 1) {
    for (let i = 0; i < count; i++) {
      const value = view.getUint8(starts[i]! + offset);
      low[i] = value;
      any |= value;
      all &= value;
    }
  } else {
    for (let i = 0; i < count; i++) {
      const at = starts[i]! + offset;
      const value = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
      low[i] = value;
      any |= value;
      all &= value;
    }
  }
  values.lowBits = any;
  return all === any;
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

export function canDelta(width: number): boolean {
  return width === 1 || width === 2 || width === 4 || width === 8;
}

/** `out[i]` of record 0 is 0: its value is stored beside the planes. `previous` undefined: `i - 1`. */
export function delta(
  values: Values,
  count: number,
  width: number,
  previous: Int32Array | undefined,
  out: Values,
): void {
  out.low[0] = 0;
  out.high[0] = 0;
  if (width > 4) deltaWide(values, count, previous, out);
  else deltaNarrow(values, count, 32 - 8 * width, previous, out);
}

/** `shift`: bits of a half that the column lacks. */
function deltaNarrow(
  { low }: Values,
  count: number,
  shift: number,
  previous: Int32Array | undefined,
  out: Values,
): void {
  const folded = out.low;
  let bits = 0;
  for (let i = 1; i < count; i++) {
    const before = previous === undefined ? i - 1 : previous[i]!;
    const signed = ((low[i]! - low[before]!) << shift) >> shift;
    // Folding keeps the width: the highest bit moves to the lowest place.
    const value = (((signed << 1) ^ (signed >> 31)) << shift) >>> shift;
    folded[i] = value;
    bits |= value;
  }
  out.lowBits = bits;
  out.highBits = 0;
}

function deltaWide(
  { low, high }: Values,
  count: number,
  previous: Int32Array | undefined,
  out: Values,
): void {
  let [lowBits, highBits] = [0, 0];
  for (let i = 1; i < count; i++) {
    const before = previous === undefined ? i - 1 : previous[i]!;
    const difference = (low[i]! - low[before]!) | 0;
    const borrow = low[i]! < low[before]! ? 1 : 0;
    const most = (high[i]! - high[before]! - borrow) | 0;
    const sign = most >> 31;
    const foldedLow = (difference << 1) ^ sign;
    const foldedHigh = ((most << 1) | (difference >>> 31)) ^ sign;
    out.low[i] = foldedLow;
    out.high[i] = foldedHigh;
    lowBits |= foldedLow;
    highBits |= foldedHigh;
  }
  out.lowBits = lowBits;
  out.highBits = highBits;
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
  values: Values,
  count: number,
  width: number,
  previous: Int32Array | undefined,
  out: Values,
): void {
  out.lowBits = xorHalf(values.low, count, previous, out.low);
  out.highBits = width > 4 ? xorHalf(values.high, count, previous, out.high) : 0;
}

/** Returns the bits that some result has. */
function xorHalf(
  half: Uint32Array,
  count: number,
  previous: Int32Array | undefined,
  out: Uint32Array,
): number {
  let bits = 0;
  out[0] = 0;
  for (let i = 1; i < count; i++) {
    const value = half[i]! ^ half[previous === undefined ? i - 1 : previous[i]!]!;
    out[i] = value;
    bits |= value;
  }
  return bits;
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

/** Bits of byte `plane` that some value has. */
export function planeBits({ lowBits, highBits }: Values, plane: number): number {
  return ((plane < 4 ? lowBits : highBits) >>> (8 * (plane & 3))) & 0xff;
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
