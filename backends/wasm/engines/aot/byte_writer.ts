/** Bytes of a WebAssembly module: a growing buffer, and numbers as LEB128. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A view of what was written; the next write may move it. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count));
    grown.set(this.written);
    this.#bytes = grown;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  bytes(values: Uint8Array): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** Unsigned, 32 bits. */
  u32(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Signed, 32 bits. */
  s32(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  /** Signed, 64 bits, in two halves of 32. */
  s64(low: number, high: number): void {
    let lowRest = low | 0;
    let highRest = high | 0;
    while (highRest !== lowRest >> 31 || lowRest < -64 || lowRest > 63) {
      this.byte((lowRest & 0x7f) | 0x80);
      lowRest = (lowRest >>> 7) | (highRest << 25);
      highRest >>= 7;
    }
    this.byte(lowRest & 0x7f);
  }

  /** UTF-8 with its length, as names stand in modules. */
  text(value: string): void {
    const encoded = new TextEncoder().encode(value);
    this.u32(encoded.length);
    this.bytes(encoded);
  }

  /** The bytes of `part`, with their length before them. */
  sized(part: ByteWriter): void {
    this.u32(part.length);
    this.bytes(part.written);
  }
}
