import { describe, expect, it } from "vitest";
import { UPDATE } from "#core/backend.ts";
import { BpfError } from "#core/errors.ts";
import type { WasmMap } from "#wasm/map.ts";
import { errnoOf, get, keysOf, newMap, u32, u64 } from "./map_fixture.ts";

const keyBytes = (keys: readonly number[]): Uint8Array =>
  new Uint8Array(Uint32Array.from(keys).buffer);

/** All entries, read in batches of `size`. */
function readAll(map: WasmMap, size: number): Map<number, bigint> {
  const found = new Map<number, bigint>();
  const keys = new Uint8Array(4 * size);
  const values = new Uint8Array(map.valueBytes * size);
  let cursor: Uint8Array | null = null;
  do {
    const batch = map.lookupBatch(cursor, keys, values, size);
    for (let i = 0; i < batch.count; i++) {
      const key = new DataView(keys.buffer).getUint32(4 * i, true);
      expect(found.has(key)).toBe(false);
      found.set(key, new DataView(values.buffer).getBigUint64(map.valueBytes * i, true));
    }
    cursor = batch.cursor;
  } while (cursor !== null);
  return found;
}

const failureOf = (operation: () => unknown): BpfError => {
  try {
    operation();
  } catch (error) {
    if (error instanceof BpfError) return error;
  }
  throw new Error("it did not fail");
};

describe("batches", () => {
  it.each(["array", "hash", "percpu_array", "percpu_hash", "lru_hash"] as const)(
    "of a %s map write and read everything, in pieces or at once",
    async (type) => {
      const map = await newMap(type, { maxEntries: 9000 });
      const count = type === "lru_hash" ? 4000 : 9000;
      const keys = Array.from({ length: count }, (_, i) => i);
      const values = new BigUint64Array((map.valueBytes / 8) * count);
      for (const key of keys) values[(map.valueBytes / 8) * key] = BigInt(key * 3);
      map.updateBatch(keyBytes(keys), new Uint8Array(values.buffer), count);
      const expected = new Map(keys.map((key) => [key, BigInt(key * 3)]));
      for (const size of [64, 1000, 20_000]) expect(readAll(map, size)).toEqual(expected);
    },
  );

  it("say ENOSPC where a hash bucket holds more than the room, and copy nothing", async () => {
    const map = await newMap("hash", { maxEntries: 1000 });
    for (let key = 0; key < 1000; key++) map.update(u32(key), u64(key));
    // A bucket for every entry on average: some hold more than one.
    const walk = () => {
      let cursor: Uint8Array | null = null;
      do ({ cursor } = map.lookupBatch(cursor, new Uint8Array(4), new Uint8Array(8), 1));
      while (cursor !== null);
    };
    expect(errnoOf(walk)).toBe("ENOSPC");
  });

  it("stop an update at the first failure, and say how many were done", async () => {
    const map = await newMap("hash", { maxEntries: 3 });
    const error = failureOf(() =>
      map.updateBatch(keyBytes([1, 2, 3, 4, 5]), u64(1, 2, 3, 4, 5), 5),
    );
    expect([error.code, error.processed]).toEqual(["E2BIG", 3]);
    expect(keysOf(map).length).toBe(3);
  });

  it("stop a deletion at the first missing key, and say how many were done", async () => {
    const map = await newMap("hash");
    map.updateBatch(keyBytes([1, 2, 3]), u64(1, 2, 3), 3);
    const error = failureOf(() => map.deleteBatch(keyBytes([1, 2, 9, 3]), 4));
    expect([error.code, error.processed]).toEqual(["ENOENT", 2]);
    expect(keysOf(map)).toEqual([3]);
    expect(map.deleteBatch(keyBytes([3]), 1)).toBe(1);
  });

  it("take no flag but LOCK", async () => {
    const map = await newMap("hash");
    const update = (flags: number) =>
      errnoOf(() => map.updateBatch(keyBytes([1]), u64(1), 1, flags));
    expect(update(UPDATE.NOEXIST)).toBe("EINVAL");
    expect(update(UPDATE.LOCK)).toBe("EINVAL");
    expect(get(map, 1)).toBeUndefined();
  });

  it("do not delete from arrays", async () => {
    const map = await newMap("array");
    expect(errnoOf(() => map.deleteBatch(keyBytes([1]), 1))).toBe("ENOTSUPP");
  });

  it("name the size of a buffer that is too small", async () => {
    const map = await newMap("hash");
    const small = new Uint8Array(7);
    expect(() => map.lookupBatch(null, small, new Uint8Array(16), 2)).toThrow(/expected 8/);
    expect(() => map.lookupBatch(null, new Uint8Array(8), small, 2)).toThrow(/expected 16/);
    expect(() => map.updateBatch(keyBytes([1, 2]), u64(1), 2)).toThrow(/expected 16/);
    expect(() => map.deleteBatch(small, 2)).toThrow(/expected 8/);
    expect(errnoOf(() => map.deleteBatch(small, -1))).toBe("EINVAL");
    expect(errnoOf(() => map.lookupBatch(u64(1), small, small, 0))).toBe("EINVAL");
  });
});
