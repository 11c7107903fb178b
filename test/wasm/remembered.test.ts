import { describe, expect, it } from "vitest";
import { Remembered } from "#wasm/remembered.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

function counted(capacity: number) {
  const remembered = new Remembered<number>(capacity);
  let made = 0;
  const of = (of: Uint8Array, key = "") => remembered.of(of, key, () => ++made);
  return { of, remembered };
}

describe("what was made before", () => {
  it("is found by equal bytes and key only", () => {
    const { of } = counted(8);
    expect([of(bytes(1, 2)), of(bytes(1, 2)), of(bytes(1, 2), "other")]).toEqual([1, 1, 2]);
    expect([of(bytes(1, 3)), of(bytes(1)), of(bytes(1, 2, 0)), of(bytes())]).toEqual([3, 4, 5, 6]);
    expect([of(bytes(1, 2)), of(bytes(1, 2), "other"), of(bytes())]).toEqual([1, 2, 6]);
  });

  it("is that of the bytes as they were", () => {
    const { of } = counted(8);
    const mine = bytes(1, 2);
    expect(of(mine)).toBe(1);
    mine[0] = 9;
    expect([of(mine), of(bytes(1, 2))]).toEqual([2, 1]);
  });

  it("goes where it was not asked for the longest", () => {
    const { of } = counted(2);
    expect([of(bytes(1)), of(bytes(2)), of(bytes(1)), of(bytes(3))]).toEqual([1, 2, 1, 3]);
    expect([of(bytes(1)), of(bytes(2))]).toEqual([1, 4]);
  });

  it("is nothing where that failed", () => {
    const { of, remembered } = counted(2);
    const fail = () => {
      throw new Error("no");
    };
    expect(() => remembered.of(bytes(1), "", fail)).toThrow("no");
    expect(of(bytes(1))).toBe(1);
  });
});
