/** Cuts a stream of chunks into lines, in bounded memory. */

/** Far above any line that a recorder writes. */
export const LINE_BYTES_MAX = 4096;

/** Takes the line `bytes[start, end)`, without its line feed. */
export type LineHandler = (bytes: Uint8Array, start: number, end: number) => void;

export class LineSplitter {
  readonly #handler: LineHandler;
  /** The line that the last chunk broke off in. */
  readonly #partial = new Uint8Array(LINE_BYTES_MAX);
  #partialLength = 0;

  constructor(handler: LineHandler) {
    this.#handler = handler;
  }

  /** Bytes after the last line feed. */
  get pendingBytes(): number {
    return this.#partialLength;
  }

  /** Hands over every line that ends in this chunk. Returns false where a line is too long. */
  push(chunk: Uint8Array): boolean {
    let start = 0;
    if (this.#partialLength > 0) {
      const end = chunk.indexOf(0x0a);
      if (!this.#keep(chunk, 0, end < 0 ? chunk.length : end)) return false;
      if (end < 0) return true;
      const length = this.#partialLength;
      this.#partialLength = 0;
      this.#handler(this.#partial, 0, length);
      start = end + 1;
    }
    for (;;) {
      const end = chunk.indexOf(0x0a, start);
      if (end < 0) return this.#keep(chunk, start, chunk.length);
      if (end - start > LINE_BYTES_MAX) return false;
      this.#handler(chunk, start, end);
      start = end + 1;
    }
  }

  #keep(chunk: Uint8Array, start: number, end: number): boolean {
    if (this.#partialLength + end - start > LINE_BYTES_MAX) return false;
    this.#partial.set(chunk.subarray(start, end), this.#partialLength);
    this.#partialLength += end - start;
    return true;
  }
}
