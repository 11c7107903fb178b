/** IP addresses from text, in network byte order. */

import { isIPv4, isIPv6 } from "node:net";

/** The 4 bytes of a dotted address; null where the text is none. */
export function parseIpv4(text: string): Uint8Array | null {
  if (!isIPv4(text)) return null;
  return Uint8Array.from(text.split("."), Number);
}

/** The 16 bytes of an IPv6 address without zone, `::` and a dotted tail included; null otherwise. */
export function parseIpv6(text: string): Uint8Array | null {
  if (!isIPv6(text) || text.includes("%")) return null;
  const [head, tail] = text.split("::");
  const bytes = new Uint8Array(16);
  bytes.set(groupBytes(head!), 0);
  if (tail !== undefined) {
    const end = groupBytes(tail);
    bytes.set(end, 16 - end.length);
  }
  return bytes;
}

function groupBytes(groups: string): number[] {
  if (groups === "") return [];
  return groups.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** ::ffff:a.b.c.d, as which the kernel shows an IPv4 address to those that ask for IPv6. */
export function mapIpv4(address: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[10] = 0xff;
  bytes[11] = 0xff;
  bytes.set(address, 12);
  return bytes;
}

/** The IPv4 address behind ::ffff:a.b.c.d, zeros for every other IPv6 address. */
export function unmapIpv4(address: Uint8Array): Uint8Array {
  const mapped = address.every((byte, i) => i >= 12 || byte === (i < 10 ? 0 : 0xff));
  return mapped ? address.slice(12) : new Uint8Array(4);
}
