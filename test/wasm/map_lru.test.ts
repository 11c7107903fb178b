import { describe, expect, it } from "vitest";
import { MAP_FLAG, UPDATE } from "#core/backend.ts";
import { WasmMap } from "#wasm/map.ts";
import { errnoOf, get, keysOf, newInstance, newMap, spec, u32, u64 } from "./map_fixture.ts";

const insert = (map: WasmMap, key: number, flags = 0): void =>
  map.update(u32(key), new Uint8Array(map.valueBytes).fill(key), flags);

describe.each(["lru_hash", "lru_percpu_hash"] as const)("%s map", (type) => {
  it("finds what was just updated, and never holds more than max_entries", async () => {
    const map = await newMap(type, { maxEntries: 50 });
    for (let key = 0; key < 500; key++) {
      insert(map, key);
      expect(get(map, key)).toBeDefined();
      expect(keysOf(map).length).toBeLessThanOrEqual(50);
    }
  });

  it("honours NOEXIST and EXIST, and refuses other flags", async () => {
    const map = await newMap(type, { maxEntries: 100 });
    expect(errnoOf(() => insert(map, 1, UPDATE.EXIST))).toBe("ENOENT");
    expect(errnoOf(() => insert(map, 1, UPDATE.NOEXIST))).toBe("");
    expect(errnoOf(() => insert(map, 1, UPDATE.NOEXIST))).toBe("EEXIST");
    expect(errnoOf(() => insert(map, 1, UPDATE.EXIST))).toBe("");
    expect(errnoOf(() => insert(map, 1, 3))).toBe("EINVAL");
    expect(errnoOf(() => insert(map, 1, UPDATE.LOCK))).toBe("EINVAL");
    expect(map.delete(u32(1))).toBe(true);
    expect(map.delete(u32(1))).toBe(false);
  });

  it("with lists of each CPU's own rounds max_entries up to a multiple of the CPUs", async () => {
    const map = await newMap(type, { maxEntries: 5, flags: MAP_FLAG.NO_COMMON_LRU });
    expect(map.instance.exports.rt_map_max_entries(map.handle)).toBe(8);
    // User space runs on CPU 0, which has 2 of the 8.
    for (let key = 0; key < 20; key++) {
      insert(map, key);
      expect(keysOf(map).length).toBeLessThanOrEqual(2);
      expect(get(map, key)).toBeDefined();
    }
  });
});

describe("lru_hash map", () => {
  it("may evict another key for an update that fails, because a node is taken first", async () => {
    const instance = await newInstance(1);
    const map = new WasmMap(instance, spec("lru_hash", { maxEntries: 2 }));
    insert(map, 1);
    insert(map, 2);
    expect(errnoOf(() => insert(map, 2, UPDATE.NOEXIST))).toBe("EEXIST");
    expect(keysOf(map)).toEqual([2]);
  });

  it("evicts in insertion order what nobody looked up from a program", async () => {
    const instance = await newInstance(1);
    const map = new WasmMap(instance, spec("lru_hash", { maxEntries: 4 }));
    for (const key of [1, 2, 3, 4]) insert(map, key);
    // A system call's lookup is no use of the key.
    expect(get(map, 1)).toBeDefined();
    insert(map, 5);
    expect(keysOf(map).sort()).toEqual([3, 4, 5]);
    // Two of four were given up at once: the next insertion costs nothing.
    insert(map, 6);
    expect(keysOf(map).sort()).toEqual([3, 4, 5, 6]);
    // A deleted entry's node is free for all CPUs; taking it to this one makes up a batch again.
    expect(map.lookupAndDelete(u32(3), u64(0))).toBe(true);
    insert(map, 7);
    expect(keysOf(map).sort()).toEqual([5, 6, 7]);
  });
});
