/**
 * Writes protobuf messages front to back. Lengths of nested messages take five bytes, filled in when the message
 * ends: longer than need be, and read alike by every decoder.
 */

const LENGTH_BYTES = 5;
const WIRE = { varint: 0, fixed64: 1, bytes: 2 } as const;

export class ProtobufWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;
  readonly #encoder = new TextEncoder();

  /** What was written, in memory of its own; the writer is empty then. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #reserve(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    return at;
  }

  #varint(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    do {
      const more = rest > 0x7fn;
      this.#bytes[this.#reserve(1)] = Number(rest & 0x7fn) | (more ? 0x80 : 0);
      rest >>= 7n;
    } while (rest > 0n);
  }

  #tag(field: number, wire: number): void {
    this.#varint(BigInt((field << 3) | wire));
  }

  integer(field: number, value: bigint | number): void {
    this.#tag(field, WIRE.varint);
    this.#varint(BigInt(value));
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, WIRE.fixed64);
    const at = this.#reserve(8);
    new DataView(this.#bytes.buffer).setBigUint64(at, BigInt.asUintN(64, value), true);
  }

  text(field: number, text: string): void {
    this.#tag(field, WIRE.bytes);
    const bytes = this.#encoder.encode(text);
    this.#varint(BigInt(bytes.length));
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** A nested message: what `body` writes. */
  message(field: number, body: () => void): void {
    this.#tag(field, WIRE.bytes);
    const at = this.#reserve(LENGTH_BYTES);
    body();
    let length = this.#length - at - LENGTH_BYTES;
    for (let i = 0; i < LENGTH_BYTES; i++) {
      this.#bytes[at + i] = (length & 0x7f) | (i < LENGTH_BYTES - 1 ? 0x80 : 0);
      length >>>= 7;
    }
  }
}
