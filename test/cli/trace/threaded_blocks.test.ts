/** Blocks that come through a thread: what the reading thread itself would have read, and nothing held afterwards. */
import { closeSync, openSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compressBlock, decompressBlock } from "#cli/zstd.ts";
import { BLOCK_TYPE } from "#core/trace/format.ts";
import { TraceReader } from "#core/trace/reader.ts";
import type { BlockSource, StoredBlock } from "#core/trace/stored_block.ts";
import {
  plainTrace,
  readOpened,
  readPlain,
  SMALL_TRACE,
  writePlain,
} from "#property-tests/arbitraries/traces.ts";
import { checkAsyncProperty } from "#property-tests/property.ts";
import { expectNothingHeld, useTraceFolder } from "../../support/held.ts";
import {
  blocksOf,
  expectSame,
  LONG_TRACE,
  readThreaded,
  startOf,
  threadedFrom,
} from "../../support/threaded_traces.ts";

const { directory, path, threads } = useTraceFolder("threaded-blocks-");

/** Calls `between` before a block is handed on, while its slot is lent. */
function paused(blocks: BlockSource, between: () => Promise<unknown>): BlockSource {
  return {
    get offset() {
      return blocks.offset;
    },
    async next() {
      const block = await blocks.next();
      await between();
      return block;
    },
    close: () => blocks.close(),
  };
}

describe.each([
  ["stored", undefined],
  ["zstd", compressBlock],
] as const)("a thread reads what this thread reads (%s)", (_, pack) => {
  it("of a small trace", async () => {
    const { bytes, totals } = writePlain(SMALL_TRACE, pack);
    const read = await readThreaded(path, bytes);
    expectSame(read, await readPlain([bytes], decompressBlock));
    expect(read).toMatchObject({ items: SMALL_TRACE.items, totals, error: undefined });
    expect(threads.count).toBe(1);
    await expectNothingHeld(directory, threads);
  });

  it.each([
    ["fast", undefined],
    ["that gives the event loop a turn", () => turn()],
    ["slow", () => sleep(10)],
  ] as const)("of more blocks than slots, by a consumer %s", async (_, between) => {
    const { bytes } = writePlain(LONG_TRACE, pack);
    const change = (blocks: BlockSource) => (between ? paused(blocks, between) : blocks);
    const read = await readThreaded(path, bytes, change);
    expect(read.error).toBeUndefined();
    expect(read.items).toEqual(LONG_TRACE.items);
    await expectNothingHeld(directory, threads);
  });

  it("of random traces", async () => {
    await checkAsyncProperty(
      "trace read through a thread",
      fc.asyncProperty(plainTrace, async (trace) => {
        const { bytes } = writePlain(trace, pack);
        const read = await readThreaded(path, bytes);
        expect(read.error).toBeUndefined();
        expectSame(read, await readPlain([bytes], decompressBlock));
      }),
    );
  });
});

describe("blocks", () => {
  it("leave the event loop its turns where the next one is always there", async () => {
    const { schema, blocks } = await blocksOf(path, writePlain(LONG_TRACE).bytes);
    const word = new Int32Array(new SharedArrayBuffer(4));
    let turned = false;
    let turnedBeforeEnd = false;
    for await (const { kind } of new TraceReader(schema, blocks)) {
      // Long enough for the other thread to stay ahead.
      Atomics.wait(word, 0, 0, 10);
      if (kind === "tasks") setImmediate(() => (turned = true));
      turnedBeforeEnd = turned;
    }
    expect(turnedBeforeEnd).toBe(true);
  });

  it("end after the trailer, for good", async () => {
    const { blocks } = await blocksOf(path, writePlain(SMALL_TRACE).bytes);
    let last: StoredBlock | undefined;
    for (let block = await blocks.next(); block !== undefined; block = await blocks.next()) {
      last = { ...block };
    }
    expect(last?.type).toBe(BLOCK_TYPE.trailer);
    expect(await blocks.next()).toBeUndefined();
    await blocks.close();
  });
});

describe("the thread and the file are given back", () => {
  const { bytes } = writePlain(LONG_TRACE);

  it.each([1, 20])("when the loop is left after %i blocks", async (count) => {
    const { schema, blocks } = await blocksOf(path, bytes);
    let read = 0;
    for await (const _ of new TraceReader(schema, blocks)) if (++read === count) break;
    expect(threads.count).toBe(1);
    await expectNothingHeld(directory, threads);
  });

  it("when no block was asked for, and by closing twice", async () => {
    const { schema, blocks } = await blocksOf(path, bytes);
    const reader = new TraceReader(schema, blocks);
    await reader.close();
    await expectNothingHeld(directory, threads);
    await reader.close();
    expect(threads.count).toBe(1);
  });

  it("when the thread sleeps because all slots are filled", async () => {
    const { schema, blocks } = await blocksOf(path, bytes);
    await blocks.next();
    await sleep(100); // Whether it sleeps by then or not: what is checked is the same.
    await new TraceReader(schema, blocks).close();
    await expectNothingHeld(directory, threads);
  });
});

describe("a thread that ends unasked", () => {
  it("is the error that ended it, where it could not read at all", async () => {
    const { schema, start } = await startOf(writePlain(SMALL_TRACE).bytes);
    const reader = new TraceReader(schema, threadedFrom(await open(path, "w"), start));
    const { items, error } = await readOpened(async () => reader);
    expect(items).toEqual([]);
    expect(error).toMatchObject({ code: "EBADF", syscall: "read" });
    await expectNothingHeld(directory, threads);
  });

  it.each([
    ["fast", undefined],
    ["slow", () => sleep(10)],
  ] as const)("comes after the blocks it had read, to a consumer %s", async (_, between) => {
    const { bytes } = writePlain(LONG_TRACE);
    const { schema, start } = await startOf(bytes);
    writeFileSync(path, bytes);
    const file = await open(path);
    const blocks = threadedFrom(file, start);
    const source = between ? paused(blocks, between) : blocks;
    const first = await source.next();
    expect(first?.type).toBe(BLOCK_TYPE.tasks);
    // It has read its first 256 KiB and waits for slots; from here on its descriptor cannot be read.
    replaceByUnreadable(file.fd);
    let records = 0;
    const rest = async () => {
      for (;;) records += (await source.next())!.records;
    };
    await expect(rest()).rejects.toMatchObject({ code: "EBADF", syscall: "read" });
    expect(records).toBeGreaterThan(5 * 15);
    expect(records).toBeLessThan(LONG_TRACE.items.length);
    await expect(source.next()).rejects.toMatchObject({ code: "EBADF" });
    await new TraceReader(schema, source).close();
    await expectNothingHeld(directory, threads);
  });
});

/** Makes `fd` a descriptor of a file that is open for writing only. */
function replaceByUnreadable(fd: number): void {
  const others: number[] = [];
  closeSync(fd);
  for (;;) {
    const opened = openSync(join(directory, "unreadable"), "w");
    if (opened === fd) break;
    others.push(opened); // A lower number was free.
    expect(opened).toBeLessThan(fd);
  }
  for (const other of others) closeSync(other);
}
