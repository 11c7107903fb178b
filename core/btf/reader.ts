/** What `.BTF` and `.BTF.ext` share: a header, and little-endian words that must be in bounds. */

import { BpfError, type BpfErrorOptions } from "../errors.ts";

const MAGIC = 0xeb9f;
const VERSION = 1;
const MAX_SECTION_BYTES = 1 << 26;

/** Reads words of one section; every problem becomes a `BpfError` of the same operation. */
export class SectionReader {
  readonly operation: string;
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(operation: string, bytes: Uint8Array) {
    this.operation = operation;
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Checks magic, byte order, version and length; returns the header's own length in bytes. */
  headerLength(minimum: number): number {
    if (this.bytes.length < minimum) {
      this.fail(`${this.bytes.length} bytes are too short for the ${minimum}-byte header`);
    }
    if (this.bytes.length > MAX_SECTION_BYTES) {
      this.fail(`${this.bytes.length} bytes exceed the limit of ${MAX_SECTION_BYTES}`);
    }
    const magic = this.#view.getUint16(0, true);
    if (magic !== MAGIC) {
      if (this.#view.getUint16(0, false) === MAGIC) {
        this.fail("the data is big-endian", { hint: "rebuild the object with -target bpfel" });
      }
      this.fail(`magic is 0x${magic.toString(16)}, not 0x${MAGIC.toString(16)}`, {
        hint: "rebuild the object with clang -g",
      });
    }
    const version = this.#view.getUint8(2);
    if (version !== VERSION) this.fail(`version is ${version}, only ${VERSION} is known`);
    const length = this.word(4);
    if (length < minimum || length > this.bytes.length) {
      this.fail(`header length ${length} is outside ${minimum}..${this.bytes.length}`);
    }
    return length;
  }

  /** The subsection that header words `field` (offset) and `field + 4` (length) describe. */
  subsection(
    name: string,
    headerLength: number,
    field: number,
  ): { readonly start: number; readonly end: number } {
    const offset = this.word(field);
    const length = this.word(field + 4);
    const start = headerLength + offset;
    const end = start + length;
    if (end > this.bytes.length) {
      this.fail(`the ${name} section ends at byte ${end}, after the end (${this.bytes.length})`);
    }
    return { start, end };
  }

  /** The u32 at a byte offset that the caller has checked. */
  word(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  /** The s32 at a byte offset that the caller has checked. */
  signedWord(offset: number): number {
    return this.#view.getInt32(offset, true);
  }

  fail(problem: string, options: BpfErrorOptions = { hint: "rebuild the object" }): never {
    throw new BpfError(this.operation, problem, options);
  }
}
