/** The string section of BTF: NUL-terminated names, addressed by byte offset. */

import { BpfError } from "../errors.ts";

/** Longer than any name or source line; bounds the work a hostile section can cause. */
const MAX_STRING_BYTES = 1 << 16;

/** Resolves offsets into one string section; `operation` names the caller in error messages. */
export class StringTable {
  readonly #operation: string;
  readonly #bytes: Uint8Array;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /**
   * The whole section as one string when characters and bytes line up (it is ASCII), so that a
   * name is a substring of it; undefined otherwise.
   */
  readonly #text: string | undefined;

  constructor(operation: string, bytes: Uint8Array) {
    this.#operation = operation;
    this.#bytes = bytes;
    const text = this.#decoder.decode(bytes);
    this.#text = text.length === bytes.length ? text : undefined;
  }

  /** The string at `offset`; `owner` (a type id, or words) tells an error message whose it is. */
  at(offset: number, owner: number | string): string {
    if (offset === 0) return "";
    const end = this.#end(offset);
    if (end < 0) {
      throw new BpfError(
        this.#operation,
        `${typeof owner === "number" ? `type ${owner}` : owner} has a name at offset ${offset}, ` +
          `outside the ${this.#bytes.length}-byte string section`,
        { hint: "rebuild the object" },
      );
    }
    if (end - offset > MAX_STRING_BYTES) {
      const problem = `the name at offset ${offset} is longer than ${MAX_STRING_BYTES} bytes`;
      throw new BpfError(this.#operation, problem);
    }
    if (this.#text !== undefined) return this.#text.slice(offset, end);
    return this.#decoder.decode(this.#bytes.subarray(offset, end));
  }

  #end(offset: number): number {
    if (offset >= this.#bytes.length) return -1;
    return this.#text === undefined
      ? this.#bytes.indexOf(0, offset)
      : this.#text.indexOf("\0", offset);
  }
}
