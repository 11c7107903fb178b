/** Blocks that this thread reads until the other one is up, which takes as long as to read some dozen. */

import type { BlockReader } from "#core/trace/block_reader.ts";
import type { BlockSource, StoredBlock } from "#core/trace/stored_block.ts";
import type { ThreadedBlocks } from "./threaded_blocks.ts";

export class HandedOverBlocks implements BlockSource {
  readonly #here: BlockReader;
  readonly #there: ThreadedBlocks;
  #now: BlockSource;

  /** Both of one file, and this object's to close; the thread waits for `begin`. */
  constructor(here: BlockReader, there: ThreadedBlocks) {
    this.#here = here;
    this.#there = there;
    this.#now = here;
  }

  get offset(): number {
    return this.#now.offset;
  }

  next(): Promise<StoredBlock | undefined> {
    if (this.#now === this.#here && this.#there.ready) {
      this.#there.begin(this.#here.offset, this.#here.sequence);
      this.#now = this.#there;
    }
    return this.#now.next();
  }

  async close(): Promise<void> {
    try {
      await this.#there.close();
    } finally {
      await this.#here.close();
    }
  }
}
