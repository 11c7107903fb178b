/** 64-bit numbers from text, as two u32 halves: exact, and nothing allocates. */

/** A u64 that a parser fills in. */
export interface Halves {
  high: number;
  low: number;
}

const TWO_32 = 0x1_0000_0000;

/** Parses decimal digits `bytes[start, end)`. False where they are no u64 in its shortest form. */
export function parseDecimal(bytes: Uint8Array, start: number, end: number, out: Halves): boolean {
  if (end <= start || (bytes[start] === 0x30 && end - start > 1)) return false;
  let high = 0;
  let low = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return false;
    low = low * 10 + digit;
    const carry = Math.floor(low / TWO_32);
    low -= carry * TWO_32;
    high = high * 10 + carry;
    if (high >= TWO_32) return false;
  }
  out.high = high;
  out.low = low;
  return true;
}

/** Parses an optional minus and decimal digits into two's complement. False where it is no s64. */
export function parseSigned(bytes: Uint8Array, start: number, end: number, out: Halves): boolean {
  const negative = bytes[start] === 0x2d;
  if (!parseDecimal(bytes, negative ? start + 1 : start, end, out)) return false;
  if (!negative) return out.high <= 0x7fffffff;
  if (out.high > 0x80000000 || (out.high === 0x80000000 && out.low !== 0)) return false;
  if (out.high === 0 && out.low === 0) return false; // "-0"
  out.high = (~out.high + (out.low === 0 ? 1 : 0)) >>> 0;
  out.low = -out.low >>> 0;
  return true;
}

/** Parses 1 to 16 lower-case hexadecimal digits. */
export function parseHexadecimal(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Halves,
): boolean {
  if (end <= start || end - start > 16) return false;
  let high = 0;
  let low = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    let digit = byte - 0x30;
    if (digit > 9) digit = byte >= 0x61 ? byte - 0x61 + 10 : 16;
    if (digit < 0 || digit > 15) return false;
    high = ((high << 4) | (low >>> 28)) >>> 0;
    low = ((low << 4) | digit) >>> 0;
  }
  out.high = high;
  out.low = low;
  return true;
}

/** `from -= amount`. False, and nothing done, where the result would be negative. */
export function subtract(from: Halves, amount: Halves): boolean {
  const low = from.low - amount.low;
  const high = from.high - amount.high - (low < 0 ? 1 : 0);
  if (high < 0) return false;
  from.high = high;
  from.low = low >>> 0;
  return true;
}
