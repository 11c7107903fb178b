import { describe, expect, it } from "vitest";
import {
  dominanceTest,
  findDominators,
  predecessorsOf,
  reversePostorder,
} from "#wasm/engines/aot/dominators.ts";
import { isReducible, makeReducible } from "#wasm/engines/aot/reducible.ts";

const DIAMOND = [[1, 2], [3], [3], []];
/** 1 and 2 form a loop that is entered at either. */
const TWO_ENTRIES = [[1, 2], [2], [1, 3], []];

describe("dominators", () => {
  it("of a diamond's end is its head", () => {
    const { immediate } = findDominators(DIAMOND, predecessorsOf(DIAMOND));
    expect([...immediate]).toEqual([0, 0, 0, 0]);
  });

  it("pass through loops", () => {
    const loop = [[1], [2], [1, 3], []];
    const dominators = findDominators(loop, predecessorsOf(loop));
    expect([...dominators.immediate]).toEqual([0, 0, 1, 2]);
    const dominates = dominanceTest(dominators);
    expect(dominates(1, 3)).toBe(true);
    expect(dominates(3, 2)).toBe(false);
  });

  it("order puts nodes behind those that lead to them", () => {
    const order = reversePostorder(DIAMOND);
    expect(order[0]).toBe(0);
    expect(order[3]).toBe(3);
  });

  it("take a chain of 100,000 nodes", () => {
    const chain = Array.from({ length: 100_000 }, (_, node) => (node < 99_999 ? [node + 1] : []));
    expect(findDominators(chain, predecessorsOf(chain)).immediate[99_999]).toBe(99_998);
  });
});

describe("a loop with two entries", () => {
  it("is not reducible", () => {
    expect(isReducible(TWO_ENTRIES)).toBe(false);
    expect(isReducible(DIAMOND)).toBe(true);
  });

  it("gets a dispatch node, which nothing outside of the loop sees", () => {
    const { edges, dispatches } = makeReducible(TWO_ENTRIES);
    expect([...dispatches]).toEqual([4]);
    expect(edges[0]).toEqual([
      { target: 4, route: 0 },
      { target: 4, route: 1 },
    ]);
    expect(edges[2]).toEqual([
      { target: 4, route: 0 },
      { target: 3, route: -1 },
    ]);
    expect(edges[4]!.map(({ target }) => target)).toEqual([1, 2]);
    expect(isReducible(edges.map((node) => node.map(({ target }) => target)))).toBe(true);
  });

  it("leaves a graph alone that is reducible", () => {
    expect(makeReducible(DIAMOND).dispatches.size).toBe(0);
  });
});
