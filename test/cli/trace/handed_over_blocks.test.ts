/** Blocks that one thread begins to read and another goes on with: as if one had read them all. */
import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { expect, it } from "vitest";
import { HandedOverBlocks } from "#cli/trace/handed_over_blocks.ts";
import { ThreadedBlocks } from "#cli/trace/threaded_blocks.ts";
import { compressBlock, decompressBlock } from "#cli/zstd.ts";
import { BlockReader } from "#core/trace/block_reader.ts";
import { ByteSource } from "#core/trace/byte_source.ts";
import { readFileHeader } from "#core/trace/file_header.ts";
import { TraceReader } from "#core/trace/reader.ts";
import type { BlockSource } from "#core/trace/stored_block.ts";
import { readOpened, readPlain, writePlain } from "#property-tests/arbitraries/traces.ts";
import { expectNothingHeld, useTraceFolder } from "../../support/held.ts";
import { expectSame, LONG_TRACE } from "../../support/threaded_traces.ts";

const { bytes: WHOLE } = writePlain(LONG_TRACE, compressBlock);
/** Events and their task, and the trailer. */
const BLOCKS = Math.ceil(LONG_TRACE.items.length / LONG_TRACE.blockRecords) + 2;

const { directory, path, threads } = useTraceFolder("handed-over-");

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Answers that the other thread is not up before `count` blocks were asked for, and then waits until it is. */
class Late extends ThreadedBlocks {
  count = 0;
  begun = false;

  override get ready(): boolean {
    return this.count-- <= 0 && super.ready;
  }

  override begin(offset: number, sequence: number): void {
    this.begun = true;
    super.begin(offset, sequence);
  }
}

/** Reads the trace, the first `count` blocks here. */
async function readFrom(bytes: Uint8Array, count: number): Promise<{ late: Late; read: unknown }> {
  writeFileSync(path, bytes);
  const late = new Late(await open(path));
  late.count = 0;
  await expect.poll(() => late.ready, { timeout: 60_000 }).toBe(true);
  late.count = count;
  const read = await readOpened(async () => {
    const source = new ByteSource(chunksOf(bytes));
    const schema = await readFileHeader(source);
    const blocks: BlockSource = new HandedOverBlocks(
      new BlockReader(source, decompressBlock),
      late,
    );
    return new TraceReader(schema, blocks);
  });
  expectSame(read, await readPlain([bytes], decompressBlock));
  return { late, read };
}

it.each([0, 1, 7, BLOCKS - 1])("after %i blocks", async (count) => {
  const { late } = await readFrom(WHOLE, count);
  expect(late.begun).toBe(true);
  await expectNothingHeld(directory, threads);
});

it("never, where the thread comes up too late", async () => {
  const { late } = await readFrom(WHOLE, BLOCKS + 1);
  expect(late.begun).toBe(false);
  await expectNothingHeld(directory, threads);
});

it.each([0, 7])("damage is where it is, after %i blocks", async (count) => {
  for (const at of [WHOLE.length >> 1, WHOLE.length - 1]) {
    const damaged = WHOLE.slice();
    damaged[at]! ^= 1;
    await readFrom(damaged, count);
  }
  await readFrom(WHOLE.slice(0, WHOLE.length >> 1), count);
  await readFrom(new Uint8Array([...WHOLE, 0]), count);
});

it("leaving in the middle ends both", async () => {
  for (const count of [0, 7, BLOCKS]) {
    writeFileSync(path, WHOLE);
    const late = new Late(await open(path));
    late.count = count;
    const source = new ByteSource(chunksOf(WHOLE));
    const schema = await readFileHeader(source);
    const blocks = new HandedOverBlocks(new BlockReader(source, decompressBlock), late);
    for await (const block of new TraceReader(schema, blocks)) {
      expect(block.kind).toBe("tasks");
      break;
    }
    await expectNothingHeld(directory, threads);
  }
});
