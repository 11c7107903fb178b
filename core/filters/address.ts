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

function groups(text: string): number[] {
  if (text === "") return [];
  const parts = text.split(":");
  const words: number[] = [];
  parts.forEach((part, i) => {
    if (i === parts.length - 1 && part.includes(".")) {
      const [a, b, c, d] = parse4(part) as unknown as [number, number, number, number];
      words.push((a << 8) | b, (c << 8) | d);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) fail("is no IPv6 address");
      words.push(Number.parseInt(part, 16));
    }
  });
  return words;
}

function parse6(text: string): Uint8Array {
  const halves = text.split("::");
  if (halves.length > 2) fail("is no IPv6 address");
  const head = groups(halves[0]!);
  const tail = halves.length === 2 ? groups(halves[1]!) : [];
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) fail("is no IPv6 address");
  if (halves.length === 2 && halves[0]!.includes(".")) fail("is no IPv6 address");
  const words = [...head, ...new Array<number>(halves.length === 1 ? 0 : missing).fill(0), ...tail];
  const bytes = new Uint8Array(16);
  words.forEach((word, i) => {
    bytes[2 * i] = word >> 8;
    bytes[2 * i + 1] = word & 0xff;
  });
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
