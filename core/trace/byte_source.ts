/** Exact reads from a stream whose chunks end anywhere. */

export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  #ended = false;
  /** Bytes handed out so far. */
  offset = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Fills `target[0, length)`; returns the number of bytes, fewer only at the end of the stream. */
  async readInto(target: Uint8Array, length: number): Promise<number> {
    let done = 0;
    while (done < length) {
      if (this.#at === this.#chunk.length) {
        if (!(await this.#nextChunk())) break;
        continue;
      }
      const part = Math.min(length - done, this.#chunk.length - this.#at);
      target.set(this.#chunk.subarray(this.#at, this.#at + part), done);
      this.#at += part;
      done += part;
    }
    this.offset += done;
    return done;
  }

  /** Tells the stream that nobody reads on. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#chunks.return?.();
  }

  async #nextChunk(): Promise<boolean> {
    if (this.#ended) return false;
    const { done, value } = await this.#chunks.next();
    this.#at = 0;
    this.#ended = done === true;
    this.#chunk = this.#ended ? new Uint8Array(0) : value;
    return !this.#ended;
  }
}
