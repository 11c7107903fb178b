import { describe, expect, it } from "vitest";
import { UPDATE } from "#core/backend.ts";
import type { WasmMap } from "#wasm/map.ts";
import { errnoOf, newMap, u64 } from "./map_fixture.ts";

const NO_KEY = new Uint8Array(0);
const CHANGES = { keySize: 0, maxEntries: 3 };

function popAll(map: WasmMap): number[] {
  const popped: number[] = [];
  const value = new Uint8Array(8);
  while (map.lookupAndDelete(NO_KEY, value)) popped.push(value[0]!);
  return popped;
}

describe.each([
  ["queue", [1, 2, 3], [2, 3, 4]],
  ["stack", [3, 2, 1], [4, 3, 2]],
] as const)("%s map", (type, order, orderAfterReplacing) => {
  it("pops in its order, also around the end of its ring", async () => {
    const map = await newMap(type, CHANGES);
    for (let round = 0; round < 5; round++) {
      for (const value of [1, 2, 3]) map.update(NO_KEY, u64(value));
      const peeked = u64(0);
      expect(map.lookup(NO_KEY, peeked)).toBe(true);
      expect(peeked).toEqual(u64(order[0]));
      expect(popAll(map)).toEqual(order);
      map.update(NO_KEY, u64(9));
      expect(popAll(map)).toEqual([9]);
    }
  });

  it("refuses a push when full, unless EXIST lets it drop the oldest", async () => {
    const map = await newMap(type, CHANGES);
    for (const value of [1, 2, 3]) map.update(NO_KEY, u64(value));
    expect(errnoOf(() => map.update(NO_KEY, u64(4)))).toBe("E2BIG");
    map.update(NO_KEY, u64(4), UPDATE.EXIST);
    expect(popAll(map)).toEqual(orderAfterReplacing);
    expect(errnoOf(() => map.update(NO_KEY, u64(1), UPDATE.NOEXIST))).toBe("EINVAL");
    expect(errnoOf(() => map.update(NO_KEY, u64(1), 3))).toBe("EINVAL");
  });

  it("has neither keys nor deletion nor batches", async () => {
    const map = await newMap(type, CHANGES);
    expect(errnoOf(() => map.nextKey(null, NO_KEY))).toBe("EINVAL");
    expect(errnoOf(() => map.delete(NO_KEY))).toBe("EINVAL");
    expect(errnoOf(() => map.updateBatch(NO_KEY, u64(1), 1))).toBe("ENOTSUPP");
  });
});
