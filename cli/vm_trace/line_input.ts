/** Lines of standard input, waited for: while a program of the simulated machine stands still, so does all else. */
import { readSync } from "node:fs";

const CHUNK_BYTES = 4096;
const RETRY_MS = 20;
const NEWLINE = 0x0a;

export class LineInput {
  readonly #file: number;
  readonly #chunk = Buffer.alloc(CHUNK_BYTES);
  #read = Buffer.alloc(0);
  #ended = false;

  constructor(file: number) {
    this.#file = file;
  }

  /** The next line without its end; undefined after the last. */
  next(): string | undefined {
    for (let end = this.#read.indexOf(NEWLINE); ; end = this.#read.indexOf(NEWLINE)) {
      if (end >= 0) return this.#take(end + 1).replace(/\r?\n$/, "");
      if (this.#ended) return this.#read.length === 0 ? undefined : this.#take(this.#read.length);
      this.#fill();
    }
  }

  #take(bytes: number): string {
    const text = this.#read.toString("utf8", 0, bytes);
    this.#read = this.#read.subarray(bytes);
    return text;
  }

  #fill(): void {
    try {
      const count = readSync(this.#file, this.#chunk);
      this.#ended = count === 0;
      this.#read = Buffer.concat([this.#read, this.#chunk.subarray(0, count)]);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") this.#ended = true;
      else if (code !== "EAGAIN") throw error;
      // Somebody made the terminal non-blocking.
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}
