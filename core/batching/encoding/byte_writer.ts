/** Text and numbers into a buffer that grows and is used again: nothing is allocated per value. */
import { AF_INET6, addressText } from "../../events/address_text.ts";

const TWO_32 = 2 ** 32;
const BILLION = 1e9;
const DIGITS = "0123456789abcdef";
const HEXADECIMAL = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0));
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class ByteWriter {
  bytes = new Uint8Array(4096);
  length = 0;
  readonly #digits = new Uint8Array(32);

  #reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.length + count, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Part of an array. */
  range(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    // A view would be an allocation for what is mostly some ten bytes.
    for (let at = start; at < end; at++) this.bytes[this.length++] = source[at]!;
  }

  all(source: Uint8Array): void {
    this.#reserve(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  /** Everything that `other` holds. */
  append(other: ByteWriter): void {
    this.#reserve(other.length);
    this.range(other.bytes, 0, other.length);
  }

  /** Unsigned, of up to 53 bits. */
  decimal(value: number): void {
    this.#reserve(20);
    const digits = this.#digits;
    let count = 0;
    let rest = value;
    do {
      const quotient = Math.floor(rest / 10);
      digits[count++] = rest - 10 * quotient;
      rest = quotient;
    } while (rest > 0);
    while (count > 0) this.bytes[this.length++] = 48 + digits[--count]!;
  }

  /** Unsigned, of 64 bits, in halves. */
  decimal64(low: number, high: number): void {
    if (high < 0x200000) {
      this.decimal(high * TWO_32 + low);
      return;
    }
    // Schoolbook division by 10^9, by 16 bits, so that every step is exact.
    const upper = Math.floor(high / BILLION);
    let rest = high - upper * BILLION;
    rest = rest * 65536 + (low >>> 16);
    const middle = Math.floor(rest / BILLION);
    rest = (rest - middle * BILLION) * 65536 + (low & 0xffff);
    const lower = Math.floor(rest / BILLION);
    rest -= lower * BILLION;
    this.decimal(upper * TWO_32 + middle * 65536 + lower);
    this.#padded(rest);
  }

  /** Nine digits. */
  #padded(value: number): void {
    this.#reserve(9);
    let rest = value;
    for (let place = 8; place >= 0; place--) {
      const quotient = Math.floor(rest / 10);
      this.bytes[this.length + place] = 48 + rest - 10 * quotient;
      rest = quotient;
    }
    this.length += 9;
  }

  /** Without leading zeros, or with exactly `digits` of them. */
  hexadecimal(low: number, high: number, digits = 0): void {
    this.#reserve(16);
    let left = digits;
    if (left === 0) {
      left = high !== 0 ? 16 - (Math.clz32(high) >> 2) : 8 - (Math.clz32(low) >> 2);
      left = Math.max(left, 1);
    }
    for (; left > 0; left--) {
      const place = left - 1;
      const nibble = place < 8 ? low >>> (4 * place) : high >>> (4 * (place - 8));
      this.bytes[this.length++] = HEXADECIMAL[nibble & 15]!;
    }
  }

  /** An address as text; one of IPv6 allocates. */
  address(source: Uint8Array, at: number, family: number): void {
    if (family === AF_INET6) {
      this.all(encoder.encode(addressText(source, at, family)));
      return;
    }
    for (let i = 0; i < 4; i++) {
      if (i > 0) this.byte(0x2e);
      this.decimal(source[at + i]!);
    }
  }

  /** Bytes up to the first NUL as a JSON string; what is not plain ASCII allocates. */
  jsonText(source: Uint8Array, start: number, size: number): void {
    let end = start;
    let plain = true;
    for (; end < start + size && source[end] !== 0; end++) {
      const byte = source[end]!;
      if (byte < 0x20 || byte >= 0x7f || byte === 0x22 || byte === 0x5c) plain = false;
    }
    if (!plain) {
      this.all(encoder.encode(JSON.stringify(decoder.decode(source.subarray(start, end)))));
      return;
    }
    this.byte(0x22);
    this.range(source, start, end);
    this.byte(0x22);
  }

  /** Bytes up to the first NUL as valid UTF-8; what is not plain ASCII allocates. */
  text(source: Uint8Array, start: number, size: number): void {
    let end = start;
    let plain = true;
    for (; end < start + size && source[end] !== 0; end++) if (source[end]! >= 0x80) plain = false;
    if (plain) this.range(source, start, end);
    else this.all(encoder.encode(decoder.decode(source.subarray(start, end))));
  }

  /** A protobuf varint of 64 bits. */
  varint64(low: number, high: number): void {
    this.#reserve(10);
    let least = low >>> 0;
    let most = high >>> 0;
    while (most !== 0 || least > 0x7f) {
      this.bytes[this.length++] = (least & 0x7f) | 0x80;
      least = ((least >>> 7) | (most << 25)) >>> 0;
      most >>>= 7;
    }
    this.bytes[this.length++] = least;
  }

  fixed32(value: number): void {
    this.#reserve(4);
    for (let shift = 0; shift < 32; shift += 8) this.bytes[this.length++] = value >>> shift;
  }
}
