/** What the crash test appends: bytes that follow from a number. */

export const CRASH_CONSUMERS: readonly string[] = ["fast", "slow"];
const LENGTHS: readonly number[] = [16, 300, 4000, 20_000];

export function crashPayload(number: number): Uint8Array {
  const bytes = new Uint8Array(LENGTHS[number % LENGTHS.length]!);
  bytes.fill(number % 251, 8);
  new DataView(bytes.buffer).setFloat64(0, number);
  return bytes;
}

/** Throws where it is not exactly what was appended. */
export function numberOfPayload(payload: Uint8Array): number {
  const number = new DataView(payload.buffer, payload.byteOffset).getFloat64(0);
  if (Buffer.compare(payload, crashPayload(number)) === 0) return number;
  throw new Error("a batch came back changed");
}
