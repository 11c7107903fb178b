/** IP addresses as text. */

/** Linux's number of the family; any other is taken for IPv4. */
export const AF_INET6 = 10;

function ipv4(bytes: Uint8Array, offset: number): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}

/** The longest run of at least two zero groups, as [first, length]; RFC 5952 §4.2. */
function longestZeroRun(groups: readonly number[]): readonly [number, number] {
  let best: readonly [number, number] = [-1, 1];
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best[1]) best = [start, length];
    start += length;
  }
  return best;
}

function ipv6(bytes: Uint8Array, offset: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[offset + i]! << 8) | bytes[offset + i + 1]!);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return `::ffff:${ipv4(bytes, offset + 12)}`;
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  const [start, length] = longestZeroRun(groups);
  if (start < 0) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** The address at `offset`: 4 bytes in network order for AF_INET, 16 for AF_INET6. */
export function addressText(bytes: Uint8Array, offset: number, family: number): string {
  return family === AF_INET6 ? ipv6(bytes, offset) : ipv4(bytes, offset);
}
