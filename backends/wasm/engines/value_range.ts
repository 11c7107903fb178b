/**
 * What is known of a register's value: an interval, and whether it points into the function's own
 * frame or into an object that programs may write. Values are signed 64-bit integers; bounds beyond
 * 2^53 are not told apart from infinity.
 */

export interface ValueRange {
  readonly low: number;
  readonly high: number;
  /**
   * `frame`: r10 + offset. `object`: offset bytes into something that starts on an 8-byte boundary
   * and that programs may write (or NULL).
   */
  readonly base: "none" | "frame" | "object";
  readonly offset: number;
  /** Bytes of the object, all of which may be written if any may; 0 where that is not known. */
  readonly extent: number;
  /** Slot of the LDDW whose map this is the address of; -1 for anything else. */
  readonly map: number;
}

const EXACT_MAX = 2 ** 53;

export const UNKNOWN: ValueRange = make(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
export const U32: ValueRange = make(0, 2 ** 32 - 1);
/** Linear memory ends at 2 GiB. */
export const POINTER: ValueRange = make(0, 2 ** 31);
/** The start of an object of so many bytes, or NULL. */
export const object = (extent: number): ValueRange => ({ ...POINTER, base: "object", extent });
export const FRAME: ValueRange = { ...POINTER, base: "frame" };

function make(low: number, high: number): ValueRange {
  return { low, high, base: "none", offset: 0, extent: 0, map: -1 };
}

/** The interval, or `UNKNOWN` where a bound is too large to be exact. */
export function range(low: number, high: number): ValueRange {
  return low < -EXACT_MAX || high > EXACT_MAX ? UNKNOWN : make(low, high);
}

export const constant = (value: number): ValueRange => range(value, value);

export function isConstant(value: ValueRange): boolean {
  return value.low === value.high && value.base === "none";
}

/** Adding a constant keeps what a pointer points into. */
export function addConstant(value: ValueRange, by: number): ValueRange {
  const moved = range(value.low + by, value.high + by);
  if (moved === UNKNOWN || value.base === "none") return moved;
  return { ...moved, base: value.base, offset: value.offset + by, extent: value.extent };
}

export function same(left: ValueRange, right: ValueRange): boolean {
  return (
    left === right ||
    (left.low === right.low &&
      left.high === right.high &&
      left.base === right.base &&
      left.offset === right.offset &&
      left.extent === right.extent &&
      left.map === right.map)
  );
}

/** What is known where either may be the value. */
export function join(left: ValueRange, right: ValueRange): ValueRange {
  if (same(left, right)) return left;
  const low = Math.min(left.low, right.low);
  const high = Math.max(left.high, right.high);
  if (left.base === "none" || left.base !== right.base || left.offset !== right.offset) {
    return make(low, high);
  }
  const extent = left.extent === right.extent ? left.extent : 0;
  return { low, high, base: left.base, offset: left.offset, extent, map: -1 };
}

const positive = (value: ValueRange): boolean => value.low >= 0;

/** The smallest 2^n - 1 that is not below `value`. */
const allOnes = (value: number): number => 2 ** Math.ceil(Math.log2(value + 1)) - 1;

/** Results of 64-bit operations; `UNKNOWN` for any operation not listed. */
export const RANGE = {
  add: (a: ValueRange, b: ValueRange) => {
    if (isConstant(b)) return addConstant(a, b.low);
    if (isConstant(a)) return addConstant(b, a.low);
    return range(a.low + b.low, a.high + b.high);
  },
  subtract: (a: ValueRange, b: ValueRange) =>
    isConstant(b) ? addConstant(a, -b.low) : range(a.low - b.high, a.high - b.low),
  and: (a: ValueRange, b: ValueRange) => {
    if (positive(a) && positive(b)) return range(0, Math.min(a.high, b.high));
    if (positive(a)) return range(0, a.high);
    return positive(b) ? range(0, b.high) : UNKNOWN;
  },
  /** Or, and exclusive or. */
  or: (a: ValueRange, b: ValueRange) =>
    positive(a) && positive(b) ? range(0, allOnes(Math.max(a.high, b.high))) : UNKNOWN,
  multiply: (a: ValueRange, b: ValueRange) =>
    positive(a) && positive(b) ? range(a.low * b.low, a.high * b.high) : UNKNOWN,
  divide: (a: ValueRange) => (positive(a) ? range(0, a.high) : UNKNOWN),
  modulo: (a: ValueRange, b: ValueRange) => {
    if (isConstant(b) && b.low > 0) return range(0, b.low - 1);
    return positive(a) ? range(0, a.high) : UNKNOWN;
  },
  shiftLeft: (a: ValueRange, by: number) =>
    positive(a) ? range(a.low * 2 ** by, a.high * 2 ** by) : UNKNOWN,
  shiftRight: (a: ValueRange, by: number) => {
    if (positive(a)) return range(Math.floor(a.low / 2 ** by), Math.floor(a.high / 2 ** by));
    return by === 0 ? a : range(0, 2 ** (64 - by));
  },
} as const;

/** What is left of a value that an operation cut to its low 32 bits. */
export function truncate(value: ValueRange): ValueRange {
  return value.low >= 0 && value.high < 2 ** 32 ? make(value.low, value.high) : U32;
}
