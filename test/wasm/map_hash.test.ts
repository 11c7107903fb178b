import { describe, expect, it } from "vitest";
import { MAP_FLAG, UPDATE } from "#core/backend.ts";
import { WasmMap } from "#wasm/map.ts";
import { errnoOf, get, keysOf, newInstance, newMap, spec, u32, u64 } from "./map_fixture.ts";

const instance = await newInstance();

const MODES = [
  ["preallocated", 0],
  ["growing on demand", MAP_FLAG.NO_PREALLOC],
] as const;

describe.each(MODES)("hash map, %s", (_, flags) => {
  it("inserts, replaces, finds and deletes", async () => {
    const map = await newMap("hash", { flags });
    expect(get(map, 1)).toBeUndefined();
    map.update(u32(1), u64(10));
    map.update(u32(1), u64(11));
    expect(get(map, 1)).toEqual([11n]);
    expect(map.delete(u32(1))).toBe(true);
    expect(map.delete(u32(1))).toBe(false);
    expect(get(map, 1)).toBeUndefined();
  });

  it("refuses a new key when full, but still updates the old ones", async () => {
    const map = await newMap("hash", { flags });
    for (let key = 0; key < 4; key++) map.update(u32(key), u64(key));
    const update = (key: number, flag: number) => errnoOf(() => map.update(u32(key), u64(9), flag));
    expect(update(4, UPDATE.ANY)).toBe("E2BIG");
    expect(update(4, UPDATE.NOEXIST)).toBe("E2BIG");
    expect(update(4, UPDATE.EXIST)).toBe("ENOENT");
    expect(update(3, UPDATE.NOEXIST)).toBe("EEXIST");
    for (let round = 0; round < 20; round++) expect(update(round % 4, UPDATE.ANY)).toBe("");
    expect(update(0, 3)).toBe("EINVAL");
    expect(update(0, UPDATE.LOCK)).toBe("EINVAL");
    expect(map.delete(u32(2))).toBe(true);
    expect(update(4, UPDATE.NOEXIST)).toBe("");
  });

  it("iterates over every key once, and starts over from a key that is not there", async () => {
    const map = await newMap("hash", { flags, maxEntries: 100 });
    for (let key = 0; key < 100; key++) map.update(u32(key * 64), u64(key));
    const keys = keysOf(map);
    expect([...keys].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i * 64));
    const next = new Uint8Array(4);
    expect(map.nextKey(u32(1), next)).toBe(true);
    expect(next).toEqual(u32(keys[0]!));
  });

  it("takes an entry out in one step", async () => {
    const map = await newMap("hash", { flags });
    map.update(u32(5), u64(50));
    const value = new Uint8Array(8);
    expect(map.lookupAndDelete(u32(5), value)).toBe(true);
    expect(value).toEqual(u64(50));
    expect(map.lookupAndDelete(u32(5), value)).toBe(false);
    expect(keysOf(map)).toEqual([]);
  });

  it.each([1, 3, 4, 7, 8, 9, 15, 16, 17, 24, 100])("tells keys of %i bytes apart", async (size) => {
    const map = await newMap("hash", { flags, keySize: size, maxEntries: 2 * size + 1 });
    const keys = [new Uint8Array(size)];
    for (let i = 0; i < size; i++) {
      keys.push(new Uint8Array(size).fill(1, i, i + 1), new Uint8Array(size).fill(128, i, i + 1));
    }
    for (const [i, key] of keys.entries()) map.update(key, u64(i), UPDATE.NOEXIST);
    const value = new Uint8Array(8);
    for (const [i, key] of keys.entries()) {
      expect(map.lookup(key, value)).toBe(true);
      expect(value).toEqual(u64(i));
    }
    for (const key of keys) expect(map.delete(key)).toBe(true);
  });

  it("updates under the lock in place, and zeroes lock and timer of a new element", async () => {
    const options = { lockOffset: 0, timerOffset: 8 };
    const map = await newMap("hash", { flags, valueSize: 32 }, options);
    const ones = new Uint8Array(32).fill(1);
    map.update(u32(1), ones, UPDATE.LOCK);
    const seen = new Uint8Array(32);
    expect(map.lookup(u32(1), seen, UPDATE.LOCK)).toBe(true);
    expect(seen).toEqual(new Uint8Array(32).fill(1).fill(0, 0, 4).fill(0, 8, 24));
    expect(errnoOf(() => map.update(u32(1), ones, UPDATE.LOCK | UPDATE.NOEXIST))).toBe("EEXIST");
    expect(errnoOf(() => map.update(u32(2), ones, UPDATE.LOCK | UPDATE.EXIST))).toBe("ENOENT");
  });
});

describe("per-CPU hash map", () => {
  it("copies a rounded-up value for every CPU, and deletes the key on all of them", async () => {
    const map = await newMap("percpu_hash", { valueSize: 4 });
    expect(map.valueBytes).toBe(32);
    map.update(u32(1), u64(1, 2, 3, 4));
    map.update(u32(1), u64(5, 6, 7, 8));
    expect(get(map, 1)).toEqual([5n, 6n, 7n, 8n]);
    expect(map.delete(u32(1))).toBe(true);
    expect(get(map, 1)).toBeUndefined();
    expect(keysOf(map)).toEqual([]);
  });

  it("honours flags and capacity", async () => {
    const map = await newMap("percpu_hash", { maxEntries: 2 });
    const update = (key: number, flags: number) =>
      errnoOf(() => map.update(u32(key), new Uint8Array(32), flags));
    expect(update(1, UPDATE.EXIST)).toBe("ENOENT");
    expect(update(1, UPDATE.NOEXIST)).toBe("");
    expect(update(1, UPDATE.NOEXIST)).toBe("EEXIST");
    expect(update(2, UPDATE.ANY)).toBe("");
    expect(update(3, UPDATE.ANY)).toBe("E2BIG");
    expect(update(2, UPDATE.LOCK)).toBe("EINVAL");
    expect(update(2, 3)).toBe("EINVAL");
  });
});

describe("creation of hash maps", () => {
  it.each([
    ["hash", "no entries", { maxEntries: 0 }, "EINVAL"],
    ["hash", "an empty key", { keySize: 0 }, "EINVAL"],
    ["hash", "an empty value", { valueSize: 0 }, "EINVAL"],
    ["hash", "NO_COMMON_LRU", { flags: MAP_FLAG.NO_COMMON_LRU }, "EINVAL"],
    ["hash", "MMAPABLE", { flags: MAP_FLAG.MMAPABLE }, "EINVAL"],
    ["hash", "an element beyond 4 MiB", { valueSize: 1 << 22 }, "E2BIG"],
    ["hash", "more than 2^31 entries", { maxEntries: 0x80000001 }, "E2BIG"],
    ["percpu_hash", "a value beyond a per-CPU unit", { valueSize: 32769 }, "E2BIG"],
    ["lru_hash", "NO_PREALLOC", { flags: MAP_FLAG.NO_PREALLOC }, "ENOTSUPP"],
  ] as const)("of type %s refuses %s", (type, _, changes, errno) => {
    expect(errnoOf(() => new WasmMap(instance, spec(type, changes)))).toBe(errno);
  });
});
