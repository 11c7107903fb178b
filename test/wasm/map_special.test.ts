/** Bloom filters, maps of maps, program arrays and arrays of foreign descriptors. */
import { describe, expect, it } from "vitest";
import { MAP_FLAG, UPDATE } from "#core/backend.ts";
import { WasmMap } from "#wasm/map.ts";
import { errnoOf, keysOf, newInstance, newMap, spec, u32, u64 } from "./map_fixture.ts";

const NO_KEY = new Uint8Array(0);
const instance = await newInstance();

describe("bloom filter map", () => {
  it("never misses what was pushed, and seldom finds what was not", async () => {
    const map = await newMap("bloom_filter", { keySize: 0, maxEntries: 1000 });
    for (let i = 0; i < 1000; i++) map.update(NO_KEY, u64(i));
    for (let i = 0; i < 1000; i++) expect(map.lookup(NO_KEY, u64(i))).toBe(true);
    let wrong = 0;
    for (let i = 1000; i < 11_000; i++) wrong += Number(map.lookup(NO_KEY, u64(i)));
    // 5 hash functions on 8192 bits: (1 - exp(-5 * 1000 / 8192))^5 = 2 %.
    expect(wrong).toBeGreaterThan(50);
    expect(wrong).toBeLessThan(500);
  });

  it("finds everything or almost nothing, as the number of hash functions says", async () => {
    for (const extra of [1, 15]) {
      const map = await newMap("bloom_filter", { keySize: 0, maxEntries: 100 }, { extra });
      for (let i = 0; i < 100; i++) map.update(NO_KEY, u64(i));
      for (let i = 0; i < 100; i++) expect(map.lookup(NO_KEY, u64(i))).toBe(true);
    }
    const tooMany = { extra: 16 };
    expect(
      errnoOf(() => new WasmMap(instance, spec("bloom_filter", { keySize: 0 }), tooMany)),
    ).toBe("EINVAL");
    expect(errnoOf(() => new WasmMap(instance, spec("array"), { extra: 1 }))).toBe("EINVAL");
    // The kernel looks at the value's size before anything else.
    const wrong = spec("bloom_filter", { keySize: 4, valueSize: (1 << 22) + 1 });
    expect(errnoOf(() => new WasmMap(instance, wrong))).toBe("E2BIG");
  });

  it("can do nothing else", async () => {
    const map = await newMap("bloom_filter", { keySize: 0 });
    expect(errnoOf(() => map.update(NO_KEY, u64(1), UPDATE.EXIST))).toBe("EINVAL");
    expect(errnoOf(() => map.delete(NO_KEY))).toBe("EOPNOTSUPP");
    expect(errnoOf(() => map.nextKey(null, NO_KEY))).toBe("EOPNOTSUPP");
    expect(errnoOf(() => map.lookupAndDelete(NO_KEY, u64(1)))).toBe("ENOTSUPP");
  });
});

describe.each(["array_of_maps", "hash_of_maps"] as const)("%s map", (type) => {
  const inner = spec("array", { name: "inner", maxEntries: 2 });
  const outerSpec = spec(type, { valueSize: 4, inner });

  it("takes open maps of the template's shape and answers their id", () => {
    const outer = new WasmMap(instance, outerSpec);
    const map = new WasmMap(instance, inner);
    outer.update(u32(1), u32(map.handle));
    const id = new Uint8Array(4);
    expect(outer.lookup(u32(1), id)).toBe(true);
    expect(id).toEqual(u32(map.handle));
    expect(outer.lookup(u32(0), id)).toBe(false);
    for (const changes of [{ valueSize: 4 }, { maxEntries: 3 }, { flags: MAP_FLAG.MMAPABLE }]) {
      const other = new WasmMap(instance, { ...inner, ...changes });
      expect(errnoOf(() => outer.update(u32(0), u32(other.handle)))).toBe("EINVAL");
      other.close();
    }
    expect(errnoOf(() => outer.update(u32(0), u32(12345)))).toBe("EBADF");
    const program = instance.exports.program_create(0);
    expect(errnoOf(() => outer.update(u32(0), u32(program)))).toBe("EINVAL");
    instance.exports.program_put(program);
    outer.close();
    map.close();
  });

  it("keeps a closed inner map alive, without its handle", () => {
    const before = instance.exports.rt_memory_used();
    const outer = new WasmMap(instance, outerSpec);
    const map = new WasmMap(instance, inner);
    const handle = map.handle;
    outer.update(u32(1), u32(handle));
    map.close();
    const id = new Uint8Array(4);
    expect(outer.lookup(u32(1), id)).toBe(true);
    expect(id).toEqual(u32(handle));
    expect(errnoOf(() => outer.update(u32(0), u32(handle)))).toBe("EBADF");
    // Its number is not given to another map meanwhile.
    const other = new WasmMap(instance, inner);
    expect(other.handle).not.toBe(handle);
    outer.update(u32(1), u32(other.handle));
    other.close();
    outer.close();
    expect(instance.exports.rt_memory_used()).toBe(before);
  });

  it("refuses a template that nests, that cannot be inner, or that is missing", () => {
    const nested = spec(type, { valueSize: 4, inner: outerSpec });
    expect(errnoOf(() => new WasmMap(instance, nested))).toBe("EINVAL");
    const programs = spec("prog_array", { valueSize: 4 });
    expect(errnoOf(() => new WasmMap(instance, { ...outerSpec, inner: programs }))).toBe(
      "ENOTSUPP",
    );
    expect(errnoOf(() => new WasmMap(instance, spec(type, { valueSize: 4 })))).toBe("EBADF");
    expect(errnoOf(() => new WasmMap(instance, { ...outerSpec, valueSize: 8 }))).toBe("EINVAL");
  });
});

describe("program array map", () => {
  it("takes programs, keeps them alive, and gives them up when user space closes it", () => {
    const map = new WasmMap(instance, spec("prog_array", { valueSize: 4 }));
    const program = instance.exports.program_create(0);
    map.update(u32(2), u32(program));
    instance.exports.program_put(program);
    const id = new Uint8Array(4);
    expect(map.lookup(u32(2), id)).toBe(true);
    expect(id).toEqual(u32(program));
    expect(instance.exports.program_address(program)).not.toBe(0);
    map.close();
    expect(instance.exports.program_address(program)).toBe(0);
  });

  it("tells apart a wrong flag, index and descriptor, in this order", () => {
    const map = new WasmMap(instance, spec("prog_array", { valueSize: 4 }));
    const update = (key: number, handle: number, flags = 0) =>
      errnoOf(() => map.update(u32(key), u32(handle), flags));
    expect(update(4, 99, UPDATE.NOEXIST)).toBe("EINVAL");
    expect(update(4, 99)).toBe("E2BIG");
    expect(update(3, 99)).toBe("EBADF");
    expect(update(3, map.handle)).toBe("EINVAL");
    expect(errnoOf(() => map.delete(u32(4)))).toBe("E2BIG");
    expect(map.delete(u32(3))).toBe(false);
    expect(map.lookup(u32(4), u32(0))).toBe(false);
    expect(keysOf(map)).toEqual([0, 1, 2, 3]);
    map.close();
  });
});

describe("storage maps", () => {
  const storage = { flags: MAP_FLAG.NO_PREALLOC, maxEntries: 0, keyTypeId: 1, valueTypeId: 2 };

  it("need BTF, NO_PREALLOC and no size", () => {
    const create = (changes: object) =>
      errnoOf(() =>
        new WasmMap(instance, spec("task_storage", { ...storage, ...changes })).close(),
      );
    expect(create({})).toBe("");
    expect(create({ keyTypeId: 0 })).toBe("EINVAL");
    expect(create({ flags: 0 })).toBe("EINVAL");
    expect(create({ maxEntries: 1 })).toBe("EINVAL");
    expect(create({ keySize: 8 })).toBe("EINVAL");
    expect(create({ valueSize: 65407 })).toBe("");
    expect(create({ valueSize: 65408 })).toBe("E2BIG");
  });

  it("know no descriptor of user space's", () => {
    const map = new WasmMap(instance, spec("cgrp_storage", storage));
    expect(errnoOf(() => map.lookup(u32(3), u64(0)))).toBe("EBADF");
    expect(errnoOf(() => map.update(u32(3), u64(0)))).toBe("EBADF");
    expect(errnoOf(() => map.delete(u32(3)))).toBe("EBADF");
    expect(errnoOf(() => map.nextKey(null, u32(0)))).toBe("ENOTSUPP");
    map.close();
  });
});
