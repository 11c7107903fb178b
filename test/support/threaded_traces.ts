/** Traces in files whose blocks come through a thread, and what this thread makes of the same bytes. */
import { writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { expect } from "vitest";
import { ThreadedBlocks } from "#cli/trace/threaded_blocks.ts";
import { ByteSource } from "#core/trace/byte_source.ts";
import { TraceError } from "#core/trace/error.ts";
import { readFileHeader } from "#core/trace/file_header.ts";
import { TraceReader } from "#core/trace/reader.ts";
import type { TraceSchema } from "#core/trace/schema.ts";
import type { BlockSource } from "#core/trace/stored_block.ts";
import {
  type PlainEvent,
  type PlainTrace,
  type ReadResult,
  readOpened,
  SMALL_TRACE,
} from "#property-tests/arbitraries/traces.ts";

/** Many more blocks than there are slots, each of its own contents. */
export const LONG_TRACE: PlainTrace = (() => {
  const first = SMALL_TRACE.items[0] as PlainEvent;
  const hook = { id: 1, hook: "tracepoint/a/b", struct: "b", size: 3000, fields: [] };
  const items = Array.from({ length: 400 }, (_, index): PlainEvent => {
    const context = new Uint8Array(hook.size).map((_, at) => (at * (index + 3)) >> 4);
    return { ...first, time_ns: first.time_ns + BigInt(index), context };
  });
  const schema = { ...SMALL_TRACE.schema, hooks: [hook] };
  return { schema, items, taskSlots: 4, blockRecords: 5 };
})();

export interface Start {
  readonly schema: TraceSchema;
  /** Where the first block starts. */
  readonly start: number;
}

export async function startOf(bytes: Uint8Array): Promise<Start> {
  const source = new ByteSource(chunksOf(bytes));
  return { schema: await readFileHeader(source), start: source.offset };
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Writes a trace's bytes to `path`; their blocks through a thread. */
export async function blocksOf(
  path: string,
  bytes: Uint8Array,
): Promise<Start & { readonly blocks: ThreadedBlocks }> {
  writeFileSync(path, bytes);
  const found = await startOf(bytes);
  return { ...found, blocks: threadedFrom(await open(path), found.start) };
}

/** All of a trace through a thread, without a reader that begins. */
export function threadedFrom(file: FileHandle, start: number): ThreadedBlocks {
  const blocks = new ThreadedBlocks(file);
  blocks.begin(start, 0);
  return blocks;
}

/** Writes a trace's bytes to `path` and reads them through a thread. */
export async function readThreaded(
  path: string,
  bytes: Uint8Array,
  change: (blocks: BlockSource) => BlockSource = (blocks) => blocks,
): Promise<ReadResult> {
  return await readOpened(async () => {
    const { schema, blocks } = await blocksOf(path, bytes);
    return new TraceReader(schema, change(blocks));
  });
}

/** The same error in every member that someone reads. */
export function expectSame(found: ReadResult, expected: ReadResult): void {
  const facts = (error: unknown) =>
    error instanceof TraceError
      ? { reason: error.reason, offset: error.offset, message: error.message, code: error.code }
      : error;
  expect(facts(found.error)).toEqual(facts(expected.error));
  expect({ ...found, error: undefined }).toEqual({ ...expected, error: undefined });
}
