/** What sequences over small maps do not show: life and death of a map, crowds, rates. */

import { describe, expect, test } from "vitest";
import { type BpfMap, MAP_FLAG, MAP_TYPE, type MapSpec } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import { INNER_TEMPLATE } from "#property-tests/arbitraries/map_specs.ts";
import { u32Bytes } from "#property-tests/models/bytes.ts";
import type { ModelledType } from "#property-tests/models/map_models.ts";
import type { MapBackend } from "#property-tests/models/model_backend.ts";
import { perform } from "./map_call.ts";

/** Nodes that one CPU of a kernel may keep aside in an LRU map. */
const LRU_ASIDE_PER_CPU = 128;

export function mapScenarios(backend: () => MapBackend, types: readonly ModelledType[]): void {
  const scenario = (type: ModelledType, name: string, body: () => void) => {
    if (types.includes(type)) test(`${type}: ${name}`, body);
  };
  const withMap = (spec: Partial<MapSpec> & { type: number }, body: (map: BpfMap) => void) => {
    const map = backend().createMap({ ...HASH_OF_U32, ...spec });
    try {
      body(map);
    } finally {
      map.close();
    }
  };

  describe("scenarios", () => {
    scenario("array", "closing twice is a no-op, and any use after it is EBADF", () => {
      withMap({ type: MAP_TYPE.array }, (map) => {
        map.close();
        map.close();
        const key = u32Bytes(0);
        expect(perform(map, { kind: "lookup", key, flags: 0 })).toEqual({ errno: ERRNO.EBADF });
        expect(perform(map, { kind: "walk", from: null })).toEqual({ errno: ERRNO.EBADF });
        const update = perform(map, { kind: "update", key, value: key, flags: 0 });
        expect(update).toEqual({ errno: ERRNO.EBADF });
      });
    });

    for (const flags of [0, MAP_FLAG.NO_PREALLOC]) {
      const name = flags === 0 ? "preallocated" : "not preallocated";
      scenario("hash", `${name}: takes exactly maxEntries keys, one more after a delete`, () => {
        withMap({ type: MAP_TYPE.hash, flags, maxEntries: 1000 }, expectExactCapacity);
      });
    }

    scenario("lru_hash", "keeps every key while there is room on every CPU", () => {
      const maxEntries = LRU_ASIDE_PER_CPU * (backend().cpus + 2);
      withMap({ type: MAP_TYPE.lru_hash, maxEntries }, (map) => {
        insert(map, 0, LRU_ASIDE_PER_CPU / 2);
        for (let key = 0; key < LRU_ASIDE_PER_CPU / 2; key += 1) expect(has(map, key)).toBe(true);
      });
    });

    scenario("lru_hash", "a flood leaves the newest key and a well filled map", () => {
      const maxEntries = 4 * LRU_ASIDE_PER_CPU * backend().cpus;
      withMap({ type: MAP_TYPE.lru_hash, maxEntries }, (map) => {
        for (let key = 0; key < 4 * maxEntries; key += 1) {
          insert(map, key, key + 1);
          expect(has(map, key)).toBe(true);
        }
        const count = perform(map, { kind: "walk", from: null }).keys!.length;
        expect(count).toBeLessThanOrEqual(maxEntries);
        expect(count).toBeGreaterThanOrEqual(maxEntries / 2);
      });
    });

    scenario("bloom_filter", "a full filter finds under a tenth of what was never pushed", () => {
      withMap({ type: MAP_TYPE.bloom_filter, keySize: 0, maxEntries: 256 }, (map) => {
        const noKey = new Uint8Array(0);
        for (let value = 0; value < 256; value += 1) map.update(noKey, u32Bytes(value));
        const asked = Array.from({ length: 2000 }, (_, index) => u32Bytes(100_000 + index));
        // About 3 % with the default of five hash functions; 10 % is many deviations away.
        expect(asked.filter((value) => map.lookup(noKey, value)).length).toBeLessThan(200);
      });
    });

    for (const type of ["array_of_maps", "hash_of_maps"] as const) {
      scenario(type, "an inner map lives on in it after its own descriptor is closed", () => {
        const spec = { type: MAP_TYPE[type], inner: INNER_TEMPLATE, maxEntries: 1 };
        withMap(spec, (outer) => {
          const inner = backend().createMap(INNER_TEMPLATE);
          const before = new Uint8Array(4);
          const after = new Uint8Array(4);
          outer.update(u32Bytes(0), u32Bytes(inner.handle));
          expect(outer.lookup(u32Bytes(0), before)).toBe(true);
          inner.close();
          expect(outer.lookup(u32Bytes(0), after)).toBe(true);
          expect(after).toEqual(before);
        });
      });

      scenario(type, "a template that is an outer map is EINVAL, a prog_array ENOTSUPP", () => {
        const descriptors = { ...INNER_TEMPLATE, valueSize: 4 };
        const outer = { ...descriptors, type: MAP_TYPE.array_of_maps, inner: INNER_TEMPLATE };
        const programs = { ...descriptors, type: MAP_TYPE.prog_array };
        const create = (inner: MapSpec) => () =>
          withMap({ type: MAP_TYPE[type], maxEntries: 1, inner }, () => undefined);
        expect(errnoOf(create(outer))).toBe(ERRNO.EINVAL);
        expect(errnoOf(create(programs))).toBe(ERRNO.ENOTSUPP);
      });
    }
  });
}

const HASH_OF_U32: MapSpec = {
  name: "scenario",
  type: MAP_TYPE.hash,
  keySize: 4,
  valueSize: 4,
  maxEntries: 16,
  flags: 0,
};

function insert(map: BpfMap, first: number, end: number): void {
  for (let key = first; key < end; key += 1) map.update(u32Bytes(key), u32Bytes(~key >>> 0));
}

function has(map: BpfMap, key: number): boolean {
  return map.lookup(u32Bytes(key), new Uint8Array(4));
}

function expectExactCapacity(map: BpfMap): void {
  const { maxEntries } = map.spec;
  const oneMore = () => map.update(u32Bytes(maxEntries), u32Bytes(0));
  insert(map, 0, maxEntries);
  expect(errnoOf(oneMore)).toBe(ERRNO.E2BIG);
  insert(map, 0, maxEntries);
  expect(map.delete(u32Bytes(7))).toBe(true);
  oneMore();
  expect(errnoOf(() => insert(map, 7, 8))).toBe(ERRNO.E2BIG);
  expect(perform(map, { kind: "walk", from: null }).keys).toHaveLength(maxEntries);
}

function errnoOf(action: () => void): number {
  try {
    action();
    return 0;
  } catch (error) {
    if (error instanceof BpfError) return error.errno;
    throw error;
  }
}
