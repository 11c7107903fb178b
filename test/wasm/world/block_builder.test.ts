import { expect, it } from "vitest";
import { LIMITS } from "#core/trace/format.ts";
import { BlockBuilder } from "#wasm/world/block_builder.ts";

const START_NS = 3 * 2 ** 32 + 5;

it("a block starts at its first record's time, in halves too", () => {
  const builder = new BlockBuilder();
  builder.add(START_NS, 1, 2, 3, 8);
  builder.add(START_NS + 10, 4, 5, 6, 16);
  const block = builder.block();
  expect(block).toMatchObject({ count: 2, base_ns: BigInt(START_NS), baseHigh: 3, baseLow: 5 });
  const columns = ["timeDeltas_ns", "cpus", "slots", "hooks", "contextOffsets"] as const;
  expect(columns.map((name) => [...block[name].subarray(0, 2)])).toEqual([
    [0, 10],
    [1, 4],
    [2, 5],
    [3, 6],
    [0, 8],
  ]);
});

it("contexts are zero again after a reset", () => {
  const builder = new BlockBuilder();
  builder.contexts.fill(0xff, builder.add(1, 0, 0, 0, 8), 8);
  builder.reset();
  const offset = builder.add(2, 0, 0, 0, 8);
  expect([...builder.contexts.subarray(offset, offset + 8)]).toEqual(new Array(8).fill(0));
  expect(builder.block().base_ns).toBe(2n);
});

it("is full by records, by bytes and by the width of a time difference", () => {
  const builder = new BlockBuilder();
  expect(builder.fits(START_NS, 8)).toBe(true);
  builder.add(START_NS, 0, 0, 0, 8);
  expect(builder.fits(START_NS + 2 ** 32 - 1, 8)).toBe(true);
  expect(builder.fits(START_NS + 2 ** 32, 8)).toBe(false);
  const room = builder.contexts.length - 8;
  expect([builder.fits(START_NS, room), builder.fits(START_NS, room + 1)]).toEqual([true, false]);
  while (builder.count < LIMITS.blockRecords) builder.add(START_NS, 0, 0, 0, 0);
  expect(builder.fits(START_NS, 0)).toBe(false);
});
