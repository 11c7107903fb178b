import { expect, it } from "vitest";
import { MAP_TYPE, type MapSpec } from "#core/backend.ts";
import { ringBytes, sizedMap } from "#wasm/loader/map_size.ts";

function spec(type: number, maxEntries: number): MapSpec {
  return { name: "m", type, keySize: 0, valueSize: 0, maxEntries, flags: 0 };
}

it.each([
  [0, 0],
  [1, 4096],
  [4096, 4096],
  [4097, 8192],
  [5000, 8192],
  [2 ** 31, 2 ** 31],
  [2 ** 31 + 1, 2 ** 31 + 1],
])("a ring of %d bytes is created with %d", (bytes, created) => {
  expect(ringBytes(bytes)).toBe(created);
  expect(sizedMap(spec(MAP_TYPE.ringbuf, bytes), 2).maxEntries).toBe(created);
});

it("a perf event array without a size has an entry for each CPU", () => {
  expect(sizedMap(spec(MAP_TYPE.perf_event_array, 0), 6).maxEntries).toBe(6);
  expect(sizedMap(spec(MAP_TYPE.perf_event_array, 3), 6).maxEntries).toBe(3);
});

it("an override replaces the definition, and is rounded too", () => {
  expect(sizedMap(spec(MAP_TYPE.hash, 10), 2, 20).maxEntries).toBe(20);
  expect(sizedMap(spec(MAP_TYPE.ringbuf, 4096), 2, 10_000).maxEntries).toBe(16_384);
});

it("other maps stay what they are", () => {
  const hash = spec(MAP_TYPE.hash, 10);
  expect(sizedMap(hash, 2)).toBe(hash);
});
