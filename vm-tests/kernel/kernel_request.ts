/** Requests to `kernel_process.c`: operation numbers and fields, as its head describes them. */

export const OPERATION = {
  create: 1,
  close: 2,
  lookup: 3,
  update: 4,
  delete: 5,
  take: 6,
  nextKeys: 7,
  lookupBatch: 8,
  updateBatch: 9,
  deleteBatch: 10,
  openObject: 11,
  closeObject: 12,
  runProgram: 13,
  openRing: 14,
  closeRing: 15,
  peekRing: 16,
  advanceRing: 17,
  ringAvailable: 18,
  attach: 19,
  detach: 20,
  runBare: 21,
  readFile: 22,
} as const;

export function u32Field(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

export function u64Field(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

/** A length and the bytes. */
export function block(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(4 + bytes.length);
  new DataView(whole.buffer).setUint32(0, bytes.length, true);
  whole.set(bytes, 4);
  return whole;
}

/** A text that ends in a zero byte, as a block. */
export function text(value: string): Uint8Array {
  return block(new TextEncoder().encode(`${value}\0`));
}

export function record(operation: number, ...fields: readonly Uint8Array[]): Uint8Array {
  const length = fields.reduce((sum, field) => sum + field.length, 4);
  const bytes = new Uint8Array(length);
  bytes.set(u32Field(operation));
  let offset = 4;
  for (const field of fields) {
    bytes.set(field, offset);
    offset += field.length;
  }
  return bytes;
}
