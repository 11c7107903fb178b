import { describe, expect, it } from "vitest";
import { MAP_FLAG, UPDATE } from "#core/backend.ts";
import { WasmMap } from "#wasm/map.ts";
import { errnoOf, get, keysOf, newInstance, newMap, spec, u32, u64 } from "./map_fixture.ts";

const instance = await newInstance();

describe("array map", () => {
  it("starts zeroed, keeps updates, and has no entry past its end", async () => {
    const map = await newMap("array");
    expect(get(map, 3)).toEqual([0n]);
    map.update(u32(3), u64(7));
    expect(get(map, 3)).toEqual([7n]);
    expect(get(map, 4)).toBeUndefined();
    expect(get(map, 0xffffffff)).toBeUndefined();
  });

  it("checks flags before the index, and the index before NOEXIST", async () => {
    const map = await newMap("array");
    const update = (key: number, flags: number) =>
      errnoOf(() => map.update(u32(key), u64(1), flags));
    expect(update(4, 8)).toBe("EINVAL");
    expect(update(4, 3)).toBe("EINVAL");
    expect(update(4, UPDATE.NOEXIST)).toBe("E2BIG");
    expect(update(3, UPDATE.NOEXIST)).toBe("EEXIST");
    expect(update(3, UPDATE.EXIST)).toBe("");
    expect(update(3, UPDATE.LOCK)).toBe("EINVAL");
  });

  it("refuses deletion, and pop", async () => {
    const map = await newMap("array");
    expect(errnoOf(() => map.delete(u32(0)))).toBe("EINVAL");
    expect(errnoOf(() => map.delete(u32(9)))).toBe("EINVAL");
    expect(errnoOf(() => map.lookupAndDelete(u32(0), new Uint8Array(8)))).toBe("ENOTSUPP");
  });

  it("iterates in order, and starts over from a key that is not there", async () => {
    const map = await newMap("array");
    expect(keysOf(map)).toEqual([0, 1, 2, 3]);
    const next = u32(9);
    expect(map.nextKey(u32(77), next)).toBe(true);
    expect(next).toEqual(u32(0));
    expect(map.nextKey(u32(3), next)).toBe(false);
    expect(next).toEqual(u32(0));
  });

  it("shares memory only when created MMAPABLE, values 8 bytes apart", async () => {
    const plain = await newMap("array");
    expect(errnoOf(() => plain.memory())).toBe("EINVAL");
    const hash = await newMap("hash");
    expect(errnoOf(() => hash.memory())).toBe("ENOTSUPP");
    const map = await newMap("array", { valueSize: 5, flags: MAP_FLAG.MMAPABLE });
    const memory = map.memory();
    expect(memory.length).toBe(4 * 8);
    memory[2 * 8 + 1] = 9;
    const value = new Uint8Array(5);
    expect(map.lookup(u32(2), value)).toBe(true);
    expect([...value]).toEqual([0, 9, 0, 0, 0]);
    map.update(u32(3), Uint8Array.of(1, 2, 3, 4, 5));
    expect([...memory.subarray(24)]).toEqual([1, 2, 3, 4, 5, 0, 0, 0]);
  });

  it("leaves lock and timer alone in updates, and shows them as zeroes", async () => {
    const map = await newMap("array", { valueSize: 40 }, { lockOffset: 4, timerOffset: 16 });
    const lies = new Uint8Array(40).fill(0xff);
    map.update(u32(0), lies);
    map.update(u32(0), lies, UPDATE.LOCK);
    const start = map.instance.exports.rt_map_values(map.handle);
    const stored = map.instance.u8.slice(start, start + 40);
    const expected = new Uint8Array(40).fill(0xff).fill(0, 4, 8).fill(0, 16, 32);
    expect(stored).toEqual(expected);
    map.instance.u8.fill(0xee, start + 16, start + 32);
    const seen = new Uint8Array(40);
    expect(map.lookup(u32(0), seen, UPDATE.LOCK)).toBe(true);
    expect(seen).toEqual(expected);
  });

  it.each([
    ["no entries", { maxEntries: 0 }, "EINVAL"],
    ["a key that is not 4 bytes", { keySize: 8 }, "EINVAL"],
    ["an empty value", { valueSize: 0 }, "EINVAL"],
    ["NO_PREALLOC", { flags: MAP_FLAG.NO_PREALLOC }, "EINVAL"],
    ["a value beyond 2 GiB", { valueSize: 0x80000000 }, "E2BIG"],
    ["more memory than there is", { valueSize: 0x7fffffff, maxEntries: 1 }, "ENOMEM"],
    ["a size that overflows 32 bits", { valueSize: 0x10000, maxEntries: 0x10001 }, "ENOMEM"],
  ])("refuses %s", (_, changes, errno) => {
    expect(errnoOf(() => new WasmMap(instance, spec("array", changes)))).toBe(errno);
  });
});

describe("per-CPU array map", () => {
  it("copies a rounded-up value for every CPU, in CPU order", async () => {
    const map = await newMap("percpu_array", { valueSize: 12 });
    expect(map.valueBytes).toBe(4 * 16);
    const all = Uint8Array.from({ length: 64 }, (_, i) => i);
    map.update(u32(1), all);
    const seen = new Uint8Array(64);
    expect(map.lookup(u32(1), seen)).toBe(true);
    expect(seen).toEqual(all);
    expect(map.lookup(u32(0), seen)).toBe(true);
    expect(seen).toEqual(new Uint8Array(64));
  });

  it("answers as an array does, in the same order of checks", async () => {
    const map = await newMap("percpu_array");
    const update = (key: number, flags: number) =>
      errnoOf(() => map.update(u32(key), new Uint8Array(32), flags));
    expect(update(4, 3)).toBe("EINVAL");
    expect(update(4, UPDATE.NOEXIST)).toBe("E2BIG");
    expect(update(3, UPDATE.NOEXIST)).toBe("EEXIST");
    expect(update(3, UPDATE.LOCK)).toBe("EINVAL");
    expect(errnoOf(() => map.delete(u32(0)))).toBe("EINVAL");
    expect(errnoOf(() => map.memory())).toBe("EINVAL");
    expect(keysOf(map)).toEqual([0, 1, 2, 3]);
  });

  it.each([
    ["a value beyond a per-CPU unit", { valueSize: 32769 }, "E2BIG"],
    ["MMAPABLE", { flags: MAP_FLAG.MMAPABLE }, "EINVAL"],
    ["a lock", {}, "EOPNOTSUPP"],
  ])("refuses %s", (what, changes, errno) => {
    const options = what === "a lock" ? { lockOffset: 0 } : {};
    expect(errnoOf(() => new WasmMap(instance, spec("percpu_array", changes), options))).toBe(
      errno,
    );
  });
});
