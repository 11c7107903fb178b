/** What a program of the reference interpreter may touch: its memory, and a frame for every call. */

/** Bytes of stack below r10, and frames (the entry's included), as the kernel has them. */
export const FRAME_BYTES = 512;
export const FRAMES_MAX = 8;

interface Region {
  readonly start: bigint;
  readonly bytes: Uint8Array;
}

/** Where objects lie, and what a fresh frame holds: programs must not depend on either. */
export interface Layout {
  readonly context: bigint;
  readonly stack: bigint;
  /** Every byte of a fresh frame. */
  readonly fresh: number;
}

/** No address fits 32 bits, so a truncated pointer finds nothing; no byte is zero by chance. */
export const DEFAULT_LAYOUT: Layout = {
  context: 0x1_2340_0000n,
  stack: 0x5_6780_0000n,
  fresh: 0xa5,
};

const FRAME_DISTANCE = 0x1_0000n;

export class Memory {
  readonly #context: Region;
  readonly #layout: Layout;
  readonly #frames: Region[] = [];

  constructor(context: Uint8Array, layout: Layout) {
    this.#context = { start: layout.context, bytes: context };
    this.#layout = layout;
  }

  /** Adds a frame and returns its r10: the address just above it. */
  enterFrame(): bigint {
    const start = this.#layout.stack + BigInt(this.#frames.length) * FRAME_DISTANCE;
    this.#frames.push({ start, bytes: new Uint8Array(FRAME_BYTES).fill(this.#layout.fresh) });
    return start + BigInt(FRAME_BYTES);
  }

  /** Removes the last frame: pointers to it point to nothing. */
  leaveFrame(): void {
    this.#frames.pop();
  }

  /** Unsigned, little-endian. Throws where the bytes are not all inside one object. */
  load(address: bigint, bits: number): bigint {
    const { bytes, at } = this.#find(address, bits / 8);
    let value = 0n;
    for (let index = bits / 8 - 1; index >= 0; index--) {
      value = (value << 8n) | BigInt(bytes[at + index]!);
    }
    return value;
  }

  store(address: bigint, bits: number, value: bigint): void {
    const { bytes, at } = this.#find(address, bits / 8);
    for (let index = 0; index < bits / 8; index++) {
      bytes[at + index] = Number((value >> BigInt(index * 8)) & 0xffn);
    }
  }

  #find(address: bigint, length: number): { readonly bytes: Uint8Array; readonly at: number } {
    for (const { start, bytes } of [this.#context, ...this.#frames]) {
      if (address >= start && address + BigInt(length) <= start + BigInt(bytes.length)) {
        return { bytes, at: Number(address - start) };
      }
    }
    throw new Error(`${length} bytes at 0x${address.toString(16)} belong to no object`);
  }
}
