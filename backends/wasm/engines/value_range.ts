/**
 * What is known of a register's value: an interval, and whether it points into the function's own
 * frame or into an object. Values are signed 64-bit integers; bounds that a double may have rounded are not
 * told apart from infinity.
 */

export interface ValueRange {
  readonly low: number;
  readonly high: number;
  /**
   * `frame`: r10 + offset. `object`: offset bytes into something that starts on an 8-byte boundary
   * and that programs may write (or NULL). `read_only`: such a thing that they may only read.
   */
  readonly base: "none" | "frame" | "object" | "read_only";
  readonly offset: number;
  /** The pointer may lie so many bytes further on; 0 for a frame. */
  readonly spread: number;
  /** Bytes of the object, all of which may be used if any may; 0 where that is not known. */
  readonly extent: number;
  /** Slot of the call that returned the object, when it ran last; `STATIC`; or `NO_ORIGIN`. */
  readonly origin: number;
  /** Slot of the LDDW whose map this is the address of; -1 for anything else. */
  readonly map: number;
}

export const NO_ORIGIN = -1;
/** An object that is there for as long as the program is. */
export const STATIC = -2;

/** What is larger is rounded to 2^53 or more, so that nothing rounded passes for exact. */
const EXACT_MAX = 2 ** 53 - 1;
/** What starts at NULL and is no larger lies in memory that no program may touch. */
const EXTENT_MAX = 2 ** 19;

export const UNKNOWN: ValueRange = make(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
export const U32: ValueRange = make(0, 2 ** 32 - 1);
/** Linear memory ends at 2 GiB. */
export const POINTER: ValueRange = make(0, 2 ** 31);
export const FRAME: ValueRange = { ...POINTER, base: "frame" };

/** The start of an object of `bytes` that a call at slot `origin` returned, or NULL. */
export function object(bytes: number, origin: number): ValueRange {
  const extent = bytes <= EXTENT_MAX ? bytes : 0;
  return { ...POINTER, base: "object", extent, origin: extent === 0 ? NO_ORIGIN : origin };
}

/** A byte of an object that lies where it lies; `extent` is 0 where its size is not known. */
export function staticObject(
  address: number,
  { offset, extent, writable }: { offset: number; extent: number; writable: boolean },
): ValueRange {
  const base = writable ? "object" : "read_only";
  return { ...constant(address), base, offset, extent, origin: extent > 0 ? STATIC : NO_ORIGIN };
}

function make(low: number, high: number): ValueRange {
  return { low, high, base: "none", offset: 0, spread: 0, extent: 0, origin: NO_ORIGIN, map: -1 };
}

const isObject = ({ base }: ValueRange): boolean => base === "object" || base === "read_only";

/** Whether `size` bytes from `offset` further on lie in the object, if there is one at all. */
export function inObject(value: ValueRange, offset: number, size: number): boolean {
  const at = value.offset + offset;
  return isObject(value) && at >= 0 && at + value.spread + size <= value.extent;
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
  const offset = value.offset + by;
  if (moved === UNKNOWN || value.base === "none" || Math.abs(offset) > EXACT_MAX) return moved;
  return { ...value, low: moved.low, high: moved.high, offset };
}

/** Adding what lies in an interval: the pointer may lie that much further on. */
function addInterval(value: ValueRange, by: ValueRange): ValueRange {
  const moved = range(value.low + by.low, value.high + by.high);
  if (moved === UNKNOWN || !isObject(value) || by.base !== "none") return moved;
  const offset = value.offset + by.low;
  const spread = value.spread + by.high - by.low;
  if (Math.abs(offset) > EXACT_MAX || spread > EXACT_MAX) return moved;
  return { ...value, low: moved.low, high: moved.high, offset, spread };
}

/** Another object may have come to where this one was. */
export function forgetOrigin(value: ValueRange): ValueRange {
  return { ...value, extent: 0, origin: NO_ORIGIN };
}

export function same(left: ValueRange, right: ValueRange): boolean {
  return (
    left === right ||
    (left.low === right.low &&
      left.high === right.high &&
      left.base === right.base &&
      left.offset === right.offset &&
      left.spread === right.spread &&
      left.extent === right.extent &&
      left.origin === right.origin &&
      left.map === right.map)
  );
}

/** What is known where either may be the value. */
export function join(left: ValueRange, right: ValueRange): ValueRange {
  if (same(left, right)) return left;
  const low = Math.min(left.low, right.low);
  const high = Math.max(left.high, right.high);
  if (left.base === "none" || left.base !== right.base) return make(low, high);
  const known = { ...left, low, high, map: -1 };
  if (left.offset === right.offset && left.spread === right.spread) {
    if (left.origin === right.origin && left.extent === right.extent) return known;
    return { ...known, extent: left.extent === right.extent ? left.extent : 0, origin: NO_ORIGIN };
  }
  if (left.origin === NO_ORIGIN || left.origin !== right.origin || left.extent !== right.extent) {
    return make(low, high);
  }
  const offset = Math.min(left.offset, right.offset);
  const end = Math.max(left.offset + left.spread, right.offset + right.spread);
  return { ...known, offset, spread: end - offset };
}

const positive = (value: ValueRange): boolean => value.low >= 0;

/** The smallest 2^n - 1 that is not below `value`. (A logarithm is not exact enough.) */
function allOnes(value: number): number {
  let ones = 1;
  while (ones - 1 < value) ones *= 2;
  return ones - 1;
}

/** Results of 64-bit operations; `UNKNOWN` for any operation not listed. */
export const RANGE = {
  add: (a: ValueRange, b: ValueRange) => {
    if (isConstant(b)) return addConstant(a, b.low);
    if (isConstant(a)) return addConstant(b, a.low);
    return isObject(b) ? addInterval(b, a) : addInterval(a, b);
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
