/** One thread reads many traces, one after the other, and nothing of one reaches the next. */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { HandedOverBlocks } from "#cli/trace/handed_over_blocks.ts";
import { ThreadedBlocks } from "#cli/trace/threaded_blocks.ts";
import { compressBlock, decompressBlock } from "#cli/zstd.ts";
import { BlockReader } from "#core/trace/block_reader.ts";
import { ByteSource } from "#core/trace/byte_source.ts";
import { TraceReader } from "#core/trace/reader.ts";
import {
  type PlainEvent,
  type PlainTrace,
  readOpened,
  readPlain,
  SMALL_TRACE,
  writePlain,
} from "#property-tests/arbitraries/traces.ts";
import { expectNothingHeld, openDescriptors, useTraceFolder } from "../../support/held.ts";
import {
  blocksOf,
  expectSame,
  LONG_TRACE,
  readThreaded,
  startOf,
  threadedFrom,
} from "../../support/threaded_traces.ts";

const { directory, path, threads } = useTraceFolder("reading-thread-");
afterEach(() => vi.useRealTimers());

const LONG = writePlain(LONG_TRACE, compressBlock).bytes;
/** As long, with other contents in every block. */
const OTHER_TRACE: PlainTrace = {
  ...LONG_TRACE,
  items: (LONG_TRACE.items as readonly PlainEvent[]).map((event) => ({
    ...event,
    context: event.context.map((byte) => byte ^ 0x55),
  })),
};
const OTHER = writePlain(OTHER_TRACE).bytes;
const SMALL = writePlain(SMALL_TRACE).bytes;

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function expectRead(bytes: Uint8Array): Promise<void> {
  const read = await readThreaded(path, bytes);
  expectSame(read, await readPlain([bytes], decompressBlock));
}

/** Reads `count` blocks of a trace, and leaves it. */
async function leaveAfter(bytes: Uint8Array, count: number): Promise<void> {
  const { schema, blocks } = await blocksOf(path, bytes);
  const reader = new TraceReader(schema, blocks);
  let read = 0;
  if (count > 0) for await (const _ of reader) if (++read === count) break;
  await reader.close();
  expect(openDescriptors(directory)).toBe(0);
}

describe("a thread reads the next trace", () => {
  it("after one that it has read to its end", async () => {
    for (const bytes of [LONG, OTHER, SMALL, LONG, SMALL]) await expectRead(bytes);
    expect(threads.count).toBe(1);
    expect(threads.running).toBe(1);
    await expectNothingHeld(directory, threads);
  });

  it.each([0, 1, 10, 40])("after one that was left after %i blocks", async (count) => {
    for (const [left, next] of [
      [LONG, OTHER],
      [OTHER, SMALL],
      [SMALL, LONG],
    ] as const) {
      await leaveAfter(left, count);
      await expectRead(next);
    }
    expect(threads.count).toBe(1);
  });

  it("after damage, early and late", async () => {
    for (const at of [0.01, 0.5, 0.99]) {
      const damaged = LONG.slice();
      damaged[Math.floor(at * damaged.length)]! ^= 1;
      await expectRead(damaged);
      await expectRead(LONG.slice(0, Math.floor(at * LONG.length)));
      await expectRead(OTHER);
    }
    expect(threads.count).toBe(1);
  });
});

describe("a trace that was closed", () => {
  const CLOSED = { code: "EBADF", message: expect.stringContaining("it is closed") };

  /** What a promise that nobody awaits yet comes to. */
  const settled = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

  it("gives no block any more, also to who waits for one, and the next is read whole", async () => {
    const { blocks } = await blocksOf(path, LONG);
    // The thread is not up yet: this one waits.
    const waiting = settled(blocks.next());
    await blocks.close();
    expect(await waiting).toMatchObject(CLOSED);
    await expectRead(OTHER);
    await expect(blocks.next()).rejects.toMatchObject(CLOSED);
    expect(threads.count).toBe(1);
  });

  it("keeps its hands off the slots, though it had one", async () => {
    const { blocks } = await blocksOf(path, LONG);
    await blocks.next();
    await blocks.close();
    const next = await blocksOf(join(directory, "b.trace"), OTHER);
    await expect(blocks.next()).rejects.toMatchObject(CLOSED);
    const read = await readOpened(async () => new TraceReader(next.schema, next.blocks));
    expectSame(read, await readPlain([OTHER], decompressBlock));
  });

  it("may be closed within its own loop", async () => {
    const { schema, blocks } = await blocksOf(path, LONG);
    const reader = new TraceReader(schema, blocks);
    const loop = async () => {
      for await (const _ of reader) await reader.close();
    };
    await expect(loop()).rejects.toMatchObject(CLOSED);
    await expectRead(OTHER);
    expect(threads.count).toBe(1);
  });

  it("is closed when any of its closings is over", async () => {
    const { blocks } = await blocksOf(path, LONG);
    await blocks.next();
    const first = blocks.close();
    await blocks.close();
    expect(openDescriptors(directory)).toBe(0);
    await first;
  });

  it("leaves the thread that rests alone", async () => {
    await expectRead(LONG);
    const { schema, start } = await startOf(LONG);
    expect(schema).toEqual(LONG_TRACE.schema);
    const there = new ThreadedBlocks(await open(path));
    const source = new ByteSource(chunksOf(LONG.subarray(start)));
    const blocks = new HandedOverBlocks(new BlockReader(source, decompressBlock), there);
    await blocks.close();
    expect(there.ready).toBe(false);
    await settled(blocks.next());
    await expectRead(OTHER);
    expect(threads.count).toBe(1);
  });
});

describe("threads", () => {
  it("are as many as there are traces at a time, of which one rests afterwards", async () => {
    const open = [LONG, OTHER, SMALL].map(async (bytes, index) => {
      const { schema, blocks } = await blocksOf(join(directory, `${index}.trace`), bytes);
      return await readOpened(async () => new TraceReader(schema, blocks));
    });
    const read = await Promise.all(open);
    const expected = [LONG, OTHER, SMALL].map((bytes) => readPlain([bytes], decompressBlock));
    for (const [index, plain] of (await Promise.all(expected)).entries()) {
      expectSame(read[index]!, plain);
    }
    expect(threads.count).toBe(3);
    await expect.poll(() => threads.running).toBe(1);
    await expectRead(OTHER);
    expect(threads.count).toBe(3);
    await expectNothingHeld(directory, threads);
  });

  it("that ended are not taken again", async () => {
    const { schema, start } = await startOf(SMALL);
    const unreadable = threadedFrom(await open(path, "w"), start);
    const { error } = await readOpened(async () => new TraceReader(schema, unreadable));
    expect(error).toMatchObject({ code: "EBADF" });
    await expectRead(LONG);
    expect(threads.count).toBe(2);
  });

  it("end when they have rested for some time, and not while they read", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    await expectRead(SMALL);
    vi.advanceTimersByTime(9_000);
    expect(threads.running).toBe(1);
    const { schema, blocks } = await blocksOf(path, LONG);
    vi.advanceTimersByTime(60_000);
    const read = await readOpened(async () => new TraceReader(schema, blocks));
    expect(read.items).toEqual(LONG_TRACE.items);
    expect(threads.count).toBe(1);
    vi.advanceTimersByTime(10_000);
    vi.useRealTimers();
    await expect.poll(() => threads.running).toBe(0);
  });

  it("that rest keep no process alive", async () => {
    const before = process.getActiveResourcesInfo().sort();
    await expectRead(LONG);
    await expect.poll(() => process.getActiveResourcesInfo().sort()).toEqual(before);
    expect(threads.running).toBe(1);
  });
});
