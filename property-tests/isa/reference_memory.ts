/** What a program of the reference interpreter may touch: its memory, and a frame for every call. */

/** Bytes of stack below r10, and frames (the entry's included), as the kernel has them. */
export const FRAME_BYTES = 512;
export const FRAMES_MAX = 8;

interface Region {
  readonly start: bigint;
  readonly bytes: Uint8Array;
}

/** Objects lie far apart, and at no address that fits 32 bits: a truncated pointer finds nothing. */
const CONTEXT_START = 0x1_2340_0000n;
const STACK_START = 0x5_6780_0000n;
const FRAME_DISTANCE = 0x10_0000n;
/** A fresh frame holds no particular value; anything but zero shows who relies on zero. */
const FRESH = 0xa5;

export class Memory {
  readonly contextAddress = CONTEXT_START;
  readonly #context: Region;
  readonly #frames: Region[] = [];

  constructor(context: Uint8Array) {
    this.#context = { start: CONTEXT_START, bytes: context };
  }

  /** Adds a frame and returns its r10: the address just above it. */
  enterFrame(): bigint {
    const start = STACK_START + BigInt(this.#frames.length) * FRAME_DISTANCE;
    this.#frames.push({ start, bytes: new Uint8Array(FRAME_BYTES).fill(FRESH) });
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
