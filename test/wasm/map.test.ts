import { describe, expect, it } from "vitest";
import { MAP_FLAG } from "#core/backend.ts";
import { WasmMap } from "#wasm/map.ts";
import { errnoOf, newInstance, newMap, spec, u32, u64 } from "./map_fixture.ts";

const bytes = (length: number): Uint8Array => new Uint8Array(length);

const instance = await newInstance();

describe("WasmMap", () => {
  it("answers EBADF to everything after close, and closing twice is a no-op", async () => {
    const map = await newMap("hash");
    map.close();
    map.close();
    const calls: (() => unknown)[] = [
      () => map.lookup(u32(1), bytes(8)),
      () => map.update(u32(1), bytes(8)),
      () => map.delete(u32(1)),
      () => map.lookupAndDelete(u32(1), bytes(8)),
      () => map.nextKey(null, bytes(4)),
      () => map.lookupBatch(null, bytes(4), bytes(8), 1),
      () => map.updateBatch(bytes(4), bytes(8), 1),
      () => map.deleteBatch(bytes(4), 1),
      () => map.memory(),
      () => map.ring(),
      () => map.memoryBytes(),
      () => map.handle,
    ];
    expect(calls.map(errnoOf)).toEqual(calls.map(() => "EBADF"));
  });

  it("names the length expected when a key or value has another", async () => {
    const map = await newMap("hash");
    expect(() => map.lookup(bytes(3), bytes(8))).toThrow(/key has 3 bytes, expected 4 \(EINVAL\)/);
    expect(() => map.lookup(u32(1), bytes(9))).toThrow(/value has 9 bytes, expected 8 \(EINVAL\)/);
    expect(() => map.update(bytes(5), bytes(8))).toThrow(/expected 4/);
    expect(() => map.update(u32(1), bytes(0))).toThrow(/expected 8/);
    expect(() => map.delete(bytes(0))).toThrow(/expected 4/);
    expect(() => map.lookupAndDelete(u32(1), bytes(1))).toThrow(/expected 8/);
    expect(() => map.nextKey(bytes(1), bytes(4))).toThrow(/expected 4/);
    expect(() => map.nextKey(null, bytes(1))).toThrow(/expected 4/);
  });

  it("gives back all memory on close", async () => {
    const instance = await newInstance();
    // The first map pays for the table of handles, which stays.
    new WasmMap(instance, spec("hash")).close();
    const before = instance.exports.rt_memory_used();
    for (const type of ["array", "percpu_array", "hash", "percpu_hash", "lru_hash"] as const) {
      const map = new WasmMap(instance, spec(type, { maxEntries: 100 }));
      map.update(u32(1), new Uint8Array(map.valueBytes));
      map.lookupBatch(null, bytes(400), new Uint8Array(100 * map.valueBytes), 100);
      map.close();
    }
    expect(instance.exports.rt_memory_used()).toBe(before);
  });

  it("gives back all memory of a map that could not be created", async () => {
    const instance = await newInstance();
    new WasmMap(instance, spec("hash")).close();
    const before = instance.exports.rt_memory_used();
    for (const type of ["array", "percpu_array", "hash", "percpu_hash", "lru_hash"] as const) {
      for (const maxEntries of [0, 1 << 24, 1 << 29, 0xffffffff]) {
        const create = (): WasmMap => new WasmMap(instance, spec(type, { maxEntries }));
        expect(errnoOf(create)).toMatch(/EINVAL|ENOMEM|E2BIG/);
      }
    }
    expect(instance.exports.rt_memory_used()).toBe(before);
  });

  it("lets user space do only what RDONLY and WRONLY leave it", async () => {
    const readOnly = await newMap("hash", { flags: MAP_FLAG.RDONLY });
    expect(errnoOf(() => readOnly.update(u32(1), u64(1)))).toBe("EPERM");
    expect(errnoOf(() => readOnly.delete(u32(1)))).toBe("EPERM");
    expect(errnoOf(() => readOnly.lookupAndDelete(u32(1), bytes(8)))).toBe("EPERM");
    expect(readOnly.lookup(u32(1), bytes(8))).toBe(false);
    const writeOnly = await newMap("hash", { flags: MAP_FLAG.WRONLY });
    writeOnly.update(u32(1), u64(1));
    expect(errnoOf(() => writeOnly.lookup(u32(1), bytes(8)))).toBe("EPERM");
    expect(errnoOf(() => writeOnly.nextKey(null, bytes(4)))).toBe("EPERM");
    expect(errnoOf(() => writeOnly.lookupAndDelete(u32(1), bytes(8)))).toBe("EPERM");
    expect(writeOnly.delete(u32(1))).toBe(true);
  });

  it("refuses to write a frozen map, and to freeze it twice", async () => {
    const map = await newMap("array");
    map.freeze();
    expect(errnoOf(() => map.update(u32(0), u64(1)))).toBe("EPERM");
    expect(map.lookup(u32(0), bytes(8))).toBe(true);
    expect(errnoOf(() => map.freeze())).toBe("EBUSY");
  });

  it("keeps flags beyond 32 bits apart", async () => {
    const map = await newMap("hash");
    expect(errnoOf(() => map.update(u32(1), u64(1), 2 ** 32))).toBe("EINVAL");
    expect(errnoOf(() => map.lookup(u32(1), bytes(8), 2 ** 40))).toBe("EINVAL");
    expect(errnoOf(() => map.update(u32(1), u64(1), -1))).toBe("EINVAL");
    expect(errnoOf(() => map.update(u32(1), u64(1), 0.5))).toBe("EINVAL");
  });

  it("refuses to read a map that is no ring as one", async () => {
    expect(errnoOf(() => new WasmMap(instance, spec("hash")).ring())).toBe("EINVAL");
  });

  it.each([
    ["a type that does not exist", spec("hash", { type: 200 })],
    ["RDONLY with WRONLY", spec("hash", { flags: MAP_FLAG.RDONLY | MAP_FLAG.WRONLY })],
    ["RDONLY_PROG with WRONLY_PROG", spec("array", { flags: 0x180 })],
    ["a size that is no 32-bit number", spec("array", { valueSize: 2 ** 32 })],
    ["a size that is no integer", spec("array", { maxEntries: 1.5 })],
  ])("refuses %s", (_, bad) => {
    expect(errnoOf(() => new WasmMap(instance, bad))).toBe("EINVAL");
  });
});
