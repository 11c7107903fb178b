import { describe, expect, it } from "vitest";
import { MAP_FLAG, UPDATE } from "#core/backend.ts";
import { WasmMap } from "#wasm/map.ts";
import { errnoOf, newInstance, newMap, spec, u32, u64 } from "./map_fixture.ts";

const instance = await newInstance();
const TRIE = { keySize: 8, flags: MAP_FLAG.NO_PREALLOC, maxEntries: 8 };

/** `"10.1.0.0/16"` as a key. */
function prefix(text: string): Uint8Array {
  const [address, length] = text.split("/");
  return Uint8Array.of(...u32(Number(length ?? 32)), ...address!.split(".").map(Number));
}

function text(key: Uint8Array): string {
  return `${key.slice(4).join(".")}/${new DataView(key.buffer, key.byteOffset).getUint32(0, true)}`;
}

function find(map: WasmMap, key: Uint8Array): bigint | undefined {
  const value = new Uint8Array(8);
  return map.lookup(key, value) ? new BigUint64Array(value.buffer)[0] : undefined;
}

function walk(map: WasmMap): string[] {
  const found: string[] = [];
  const next = new Uint8Array(map.spec.keySize);
  for (let key: Uint8Array | null = null; map.nextKey(key, next); key = next.slice()) {
    found.push(text(next));
  }
  return found;
}

describe("LPM trie map", () => {
  it("finds the most specific prefix, at most as long as the key's own", async () => {
    const map = await newMap("lpm_trie", TRIE);
    map.update(prefix("0.0.0.0/0"), u64(0));
    map.update(prefix("10.0.0.0/8"), u64(8));
    map.update(prefix("10.1.0.0/16"), u64(16));
    map.update(prefix("10.1.2.3/32"), u64(32));
    expect(find(map, prefix("10.1.2.3/32"))).toBe(32n);
    expect(find(map, prefix("10.1.2.4/32"))).toBe(16n);
    expect(find(map, prefix("10.1.2.3/31"))).toBe(16n);
    expect(find(map, prefix("10.1.2.3/15"))).toBe(8n);
    expect(find(map, prefix("11.0.0.0/32"))).toBe(0n);
    expect(find(map, prefix("10.1.2.3/33"))).toBeUndefined();
  });

  it("says ENOSPC when full, and still replaces what is there", async () => {
    const map = await newMap("lpm_trie", { ...TRIE, maxEntries: 2 });
    map.update(prefix("10.0.0.0/8"), u64(1));
    map.update(prefix("10.0.0.0/9"), u64(2));
    const update = (key: string, flags = 0) =>
      errnoOf(() => map.update(prefix(key), u64(3), flags));
    expect(update("11.0.0.0/8")).toBe("ENOSPC");
    expect(update("10.0.0.0/9")).toBe("");
    expect(update("10.0.0.0/9", UPDATE.NOEXIST)).toBe("EEXIST");
    expect(update("11.0.0.0/8", UPDATE.EXIST)).toBe("ENOENT");
    expect(update("11.0.0.0/8", 4)).toBe("EINVAL");
    expect(update("11.0.0.0/33")).toBe("EINVAL");
  });

  it("deletes only the exact prefix", async () => {
    const map = await newMap("lpm_trie", TRIE);
    map.update(prefix("10.0.0.0/8"), u64(1));
    map.update(prefix("10.0.0.0/10"), u64(2));
    expect(map.delete(prefix("10.0.0.0/9"))).toBe(false);
    expect(errnoOf(() => map.delete(prefix("10.0.0.0/40")))).toBe("EINVAL");
    expect(map.delete(prefix("10.0.0.0/8"))).toBe(true);
    expect(find(map, prefix("10.0.0.0/32"))).toBe(2n);
    expect(find(map, prefix("10.255.0.0/32"))).toBeUndefined();
  });

  it("iterates children before parents, and shows keys with all bits they were given", async () => {
    const map = await newMap("lpm_trie", TRIE);
    for (const key of ["10.9.9.9/8", "10.128.0.0/9", "10.0.0.0/9", "192.168.0.0/16"]) {
      map.update(prefix(key), u64(1));
    }
    expect(walk(map)).toEqual(["10.0.0.0/9", "10.128.0.0/9", "10.9.9.9/8", "192.168.0.0/16"]);
  });

  it.each([1, 2, 3, 5, 7, 8, 9, 12, 16, 17, 64, 255, 256])(
    "tells apart all prefixes of a key with %i bytes of data",
    (size) => {
      const bits = size * 8;
      const changes = { keySize: 4 + size, flags: MAP_FLAG.NO_PREALLOC, maxEntries: 2 * bits + 2 };
      const map = new WasmMap(instance, spec("lpm_trie", changes));
      const ones = (length: number, flipLast = false): Uint8Array => {
        const key = new Uint8Array(4 + size);
        key.set(u32(length));
        for (let bit = 0; bit < length; bit++) key[4 + (bit >> 3)]! |= 0x80 >> (bit & 7);
        if (flipLast) key[4 + ((length - 1) >> 3)]! ^= 0x80 >> ((length - 1) & 7);
        return key;
      };
      map.update(ones(0), u64(0));
      for (let length = bits; length > 0; length--) {
        map.update(ones(length), u64(length));
        map.update(ones(length, true), u64(1000 + length));
      }
      for (let length = 1; length <= bits; length++) {
        expect(find(map, ones(length))).toBe(BigInt(length));
        // The key's bits are those of a longer prefix, but it asks for a shorter one.
        const short = ones(bits);
        short.set(u32(length));
        expect(find(map, short)).toBe(BigInt(length));
        const other = ones(length, true);
        other.set(u32(bits));
        expect(find(map, other)).toBe(BigInt(1000 + length));
      }
      expect(walk(map).length).toBe(2 * bits + 1);
      for (let length = 1; length <= bits; length++) {
        expect(map.delete(ones(length, true))).toBe(true);
        expect(map.delete(ones(length))).toBe(true);
      }
      expect(walk(map).length).toBe(1);
      map.close();
    },
  );

  it.each([
    ["without NO_PREALLOC", { flags: 0 }],
    ["a key without data", { keySize: 4 }],
    ["more than 256 bytes of data", { keySize: 261 }],
    ["no value", { valueSize: 0 }],
    ["a node beyond 4 MiB", { valueSize: (1 << 22) - 279 }],
    ["no entries", { maxEntries: 0 }],
  ])("refuses %s", (_, changes) => {
    const bad = spec("lpm_trie", { ...TRIE, ...changes });
    expect(errnoOf(() => new WasmMap(instance, bad))).toBe("EINVAL");
  });
});
