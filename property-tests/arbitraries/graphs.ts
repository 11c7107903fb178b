/** Random control-flow graphs: reducible and not. */
import fc from "fast-check";
import { reversePostorder } from "#wasm/engines/aot/dominators.ts";

const NODES_MAX = 16;

/**
 * By node, where it leads: nothing, one node, or two different ones. Node 0 is the entry; it reaches
 * every node, and nothing leads to it.
 */
export const controlFlowGraph: fc.Arbitrary<readonly (readonly number[])[]> = fc
  .integer({ min: 1, max: NODES_MAX })
  .chain((count) => {
    const target = fc.integer({ min: 1, max: Math.max(1, count - 1) });
    const [one, two] = [1, 2].map((length) =>
      fc.uniqueArray(target, { minLength: Math.min(length, count - 1), maxLength: length }),
    );
    const leaves = fc.constant<number[]>([]);
    const targets =
      count === 1
        ? leaves
        : fc.oneof(
            { arbitrary: leaves, weight: 1 },
            { arbitrary: one!, weight: 3 },
            { arbitrary: two!, weight: 6 },
          );
    return fc.array(targets, { minLength: count, maxLength: count });
  })
  .map(reachable);

function reachable(graph: readonly (readonly number[])[]): number[][] {
  const order = reversePostorder(graph);
  const renumbered = new Map(order.map((node, index) => [node, index]));
  return order.map((node) => graph[node]!.map((target) => renumbered.get(target)!));
}
