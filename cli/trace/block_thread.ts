/** What the thread of a `ThreadedBlocks` runs: reads a file's blocks, as far ahead as there are slots. */

import { readSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { BlockReader } from "#core/trace/block_reader.ts";
import { ByteSource } from "#core/trace/byte_source.ts";
import { TraceError } from "#core/trace/error.ts";
import { decompressBlock } from "../zstd.ts";
import { BlockSlots, SLOT } from "./block_slots.ts";

export interface BlockThreadData {
  /** An open file, which stays the other thread's to close. */
  readonly file: number;
  readonly memory: SharedArrayBuffer;
}

const CHUNK_BYTES = 256 * 1024;

async function* chunksOf(file: number, start: number): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let at = start; ; ) {
    const bytes = readSync(file, chunk, 0, CHUNK_BYTES, at);
    if (bytes === 0) return;
    at += bytes;
    yield chunk.subarray(0, bytes);
  }
}

async function fillSlots({ file, memory }: BlockThreadData): Promise<void> {
  const slots = new BlockSlots(memory);
  const { offset, sequence } = slots.beginning();
  const source = new ByteSource(chunksOf(file, offset));
  source.offset = offset;
  const blocks = new BlockReader(source, decompressBlock, sequence);
  const last = (state: number, text: string) =>
    slots.fill(state, {
      type: 0,
      records: 0,
      offset: blocks.offset,
      raw: new TextEncoder().encode(text),
    });
  try {
    for (;;) {
      const block = await blocks.next();
      if (block === undefined) return last(SLOT.end, "");
      slots.fill(SLOT.block, block);
    }
  } catch (error) {
    // Anything else ends the thread, and comes to the other one as it is.
    if (!(error instanceof TraceError)) throw error;
    const { reason, offset, problem } = error;
    last(SLOT.failure, JSON.stringify({ reason, offset, problem }));
  }
}

await fillSlots(workerData as BlockThreadData);
