/** What a `ReadingThread` runs: reads blocks of one file after the other, as far ahead as there are slots. */

import { readSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { BlockReader } from "#core/trace/block_reader.ts";
import { ByteSource } from "#core/trace/byte_source.ts";
import { TraceError } from "#core/trace/error.ts";
import { decompressBlock } from "../zstd.ts";
import { BlockSlots, SLOT } from "./block_slots.ts";
import type { ReadingOrder } from "./reading_state.ts";

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

/** Fills slots from a file until it ends, is no good, or is to be read no more. */
async function fillFrom(
  slots: BlockSlots,
  { file, offset, sequence }: ReadingOrder,
): Promise<void> {
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
      if (block === undefined) last(SLOT.end, "");
      if (block === undefined || !slots.fill(SLOT.block, block)) return;
    }
  } catch (error) {
    // Anything else ends the thread, and comes to the other one as it is.
    if (!(error instanceof TraceError)) throw error;
    const { reason, offset, problem } = error;
    last(SLOT.failure, JSON.stringify({ reason, offset, problem }));
  }
}

async function readForever(slots: BlockSlots): Promise<never> {
  for (;;) {
    const order = slots.reading.order();
    slots.restart();
    await fillFrom(slots, order);
    slots.reading.done();
  }
}

await readForever(new BlockSlots(workerData as SharedArrayBuffer));
