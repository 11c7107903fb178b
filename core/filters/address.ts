/** Addresses and networks as rules write them, and as words of the kernel's tables. */

export interface Network {
  readonly family: 4 | 6;
  /** 4 or 16 bytes in network order; bits beyond the prefix are 0. */
  readonly bytes: Uint8Array;
  readonly prefix: number;
}

/** What is wrong with an address, in words that follow the text itself. */
export class AddressError extends Error {}

function fail(problem: string): never {
  throw new AddressError(problem);
}

function parse4(text: string): Uint8Array {
  const bytes = new Uint8Array(4);
  let at = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? 46 : text.charCodeAt(i);
    if (code === 46) {
      if (digits === 0 || at === 4) fail("is no IPv4 address");
      bytes[at++] = value;
      digits = 0;
      value = 0;
    } else {
      // A leading zero is octal to some readers and decimal to others.
      if (code < 48 || code > 57 || (digits > 0 && value === 0)) fail("is no IPv4 address");
      value = value * 10 + code - 48;
      digits++;
      if (value > 255) fail("is no IPv4 address");
    }
  }
  if (at !== 4) fail("is no IPv4 address");
  return bytes;
}

/** Value of a hexadecimal digit, -1 for other characters. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** IPv6 in one pass, since rule sets have thousands; the last 32 bits may be in IPv4's form. */
function parse6(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  let at = 0;
  /** Byte at which `::` stands. */
  let gap = -1;
  let i = 0;
  if (text.startsWith("::")) {
    gap = 0;
    i = 2;
  }
  while (i < text.length) {
    const start = i;
    let word = 0;
    for (; i < text.length; i++) {
      const digit = hexDigit(text.charCodeAt(i));
      if (digit < 0) break;
      word = word * 16 + digit;
    }
    if (text[i] === "." && at <= 12) {
      bytes.set(parse4(text.slice(start)), at);
      at += 4;
      break;
    }
    if (i === start || i - start > 4 || at === 16) fail("is no IPv6 address");
    bytes[at++] = word >> 8;
    bytes[at++] = word & 0xff;
    if (i === text.length) break;
    if (text[i++] !== ":" || i === text.length) fail("is no IPv6 address");
    if (text[i] !== ":") continue;
    if (gap >= 0) fail("is no IPv6 address");
    gap = at;
    i++;
  }
  if (gap < 0 ? at !== 16 : at > 14) fail("is no IPv6 address");
  if (gap >= 0) {
    bytes.copyWithin(16 - (at - gap), gap, at);
    bytes.fill(0, gap, 16 - (at - gap));
  }
  return bytes;
}

function isMapped(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/**
 * Reads an address or a network. Throws `AddressError` for what is none, for a prefix that is too
 * long, and for bits beyond the prefix: `10.0.0.1/8` may be a slip for /32. IPv4 networks in IPv6
 * form (::ffff:0:0/96 and longer) are IPv4 networks.
 */
export function parseNetwork(text: string): Network {
  const slash = text.indexOf("/");
  const address = slash < 0 ? text : text.slice(0, slash);
  const bytes = address.includes(":") ? parse6(address) : parse4(address);
  const bits = bytes.length * 8;
  let prefix = bits;
  if (slash >= 0) {
    const digits = text.slice(slash + 1);
    if (!/^(0|[1-9][0-9]{0,2})$/.test(digits)) fail("has no prefix length after the slash");
    prefix = Number(digits);
    if (prefix > bits) fail(`has a prefix longer than ${bits} bits`);
  }
  for (let i = prefix >> 3; i < bytes.length; i++) {
    const kept = i === prefix >> 3 ? 0xff & ~(0xff >> (prefix & 7)) : 0;
    if ((bytes[i]! & ~kept) !== 0) fail(`has bits set beyond its prefix of ${prefix}`);
  }
  if (bytes.length === 16 && prefix >= 96 && isMapped(bytes)) {
    return { family: 4, bytes: bytes.subarray(12), prefix: prefix - 96 };
  }
  return { family: bytes.length === 4 ? 4 : 6, bytes, prefix };
}

/** Four bytes of an address as the little-endian word that a program loads. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}

/** Word `index` of the mask of a prefix, in the same form. */
export function maskWord(prefix: number, index: number): number {
  let word = 0;
  for (let byte = 0; byte < 4; byte++) {
    const bits = Math.min(Math.max(prefix - index * 32 - byte * 8, 0), 8);
    word |= (0xff & ~(0xff >> bits)) << (byte * 8);
  }
  return word >>> 0;
}
