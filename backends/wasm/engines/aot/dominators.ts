/** Orders and dominators of a graph whose nodes are numbered from 0, the entry, which reaches all. */

export type Successors = readonly (readonly number[])[];

/** Every node after those that reach it, unless they do so only through a cycle. */
export function reversePostorder(successors: Successors): number[] {
  const order: number[] = [];
  const seen = new Uint8Array(successors.length);
  const path = [0];
  const next = [0];
  seen[0] = 1;
  while (path.length > 0) {
    const node = path.at(-1)!;
    const edge = next[next.length - 1]!++;
    const successor = successors[node]![edge];
    if (successor === undefined) {
      order.push(node);
      path.pop();
      next.pop();
    } else if (seen[successor] === 0) {
      seen[successor] = 1;
      path.push(successor);
      next.push(0);
    }
  }
  return order.reverse();
}

/** Place of each node in an order of all of them. */
export function positionsOf(order: readonly number[]): Uint32Array {
  const position = new Uint32Array(order.length);
  for (let index = 0; index < order.length; index++) position[order[index]!] = index;
  return position;
}

export function predecessorsOf(successors: Successors): number[][] {
  const predecessors: number[][] = successors.map(() => []);
  successors.forEach((targets, node) => {
    for (const target of targets) predecessors[target]!.push(node);
  });
  return predecessors;
}

export interface Dominators {
  /** In reverse postorder. */
  readonly order: readonly number[];
  /** Place of each node in `order`. */
  readonly position: Uint32Array;
  /** The immediate dominator of each node; the entry's is itself. */
  readonly immediate: Uint32Array;
}

/**
 * Lengauer and Tarjan, with path compression: no slower than n log n, whatever the program. A ladder
 * of checks that all jump to one exit is what simpler algorithms are quadratic in.
 */
export function findDominators(
  successors: Successors,
  predecessors: readonly (readonly number[])[],
): Dominators {
  const order = reversePostorder(successors);
  const position = positionsOf(order);
  return { order, position, immediate: new DominatorSearch(successors, predecessors).run() };
}

/** Works on preorder numbers; `vertex` leads back to nodes. */
class DominatorSearch {
  readonly #predecessors: readonly (readonly number[])[];
  readonly #vertex: number[] = [];
  readonly #number: Int32Array;
  readonly #parent: Int32Array;
  readonly #semi: Int32Array;
  readonly #label: Int32Array;
  readonly #ancestor: Int32Array;

  constructor(successors: Successors, predecessors: readonly (readonly number[])[]) {
    const count = successors.length;
    this.#predecessors = predecessors;
    this.#number = new Int32Array(count).fill(-1);
    this.#parent = new Int32Array(count);
    this.#semi = Int32Array.from({ length: count }, (_, index) => index);
    this.#label = this.#semi.slice();
    this.#ancestor = new Int32Array(count).fill(-1);
    this.#walk(successors);
  }

  #walk(successors: Successors): void {
    const pending = [{ node: 0, parent: 0 }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (this.#number[next.node] !== -1) continue;
      const number = this.#vertex.push(next.node) - 1;
      this.#number[next.node] = number;
      this.#parent[number] = next.parent;
      const targets = successors[next.node]!;
      for (let i = targets.length - 1; i >= 0; i--) {
        pending.push({ node: targets[i]!, parent: number });
      }
    }
  }

  run(): Uint32Array {
    const count = this.#vertex.length;
    const dominator = new Int32Array(count);
    const buckets: number[][] = Array.from({ length: count }, () => []);
    for (let at = count - 1; at > 0; at--) {
      for (const node of this.#predecessors[this.#vertex[at]!]!) {
        const best = this.#evaluate(this.#number[node]!);
        this.#semi[at] = Math.min(this.#semi[at]!, this.#semi[best]!);
      }
      buckets[this.#semi[at]!]!.push(at);
      const parent = this.#parent[at]!;
      this.#ancestor[at] = parent;
      for (const waiting of buckets[parent]!) {
        const best = this.#evaluate(waiting);
        dominator[waiting] = this.#semi[best]! < this.#semi[waiting]! ? best : parent;
      }
      buckets[parent] = [];
    }
    const immediate = new Uint32Array(this.#number.length);
    for (let at = 1; at < count; at++) {
      if (dominator[at] !== this.#semi[at]) dominator[at] = dominator[dominator[at]!]!;
      immediate[this.#vertex[at]!] = this.#vertex[dominator[at]!]!;
    }
    return immediate;
  }

  /** The node with the least semidominator on the path up the forest, which gets shorter. */
  #evaluate(start: number): number {
    const ancestor = this.#ancestor;
    if (ancestor[start] === -1) return start;
    const path: number[] = [];
    for (let at = start; ancestor[ancestor[at]!] !== -1; at = ancestor[at]!) path.push(at);
    for (let at = path.pop(); at !== undefined; at = path.pop()) {
      const above = ancestor[at]!;
      if (this.#semi[this.#label[above]!]! < this.#semi[this.#label[at]!]!) {
        this.#label[at] = this.#label[above]!;
      }
      ancestor[at] = ancestor[above]!;
    }
    return this.#label[start]!;
  }
}

/** Answers whether every path to `node` passes `by`. */
export function dominanceTest({
  order,
  position,
  immediate,
}: Dominators): (by: number, node: number) => boolean {
  // Preorder of the tree: what a node dominates are the `size` nodes from its `start` on.
  const count = immediate.length;
  const size = new Uint32Array(count).fill(1);
  for (let index = order.length - 1; index > 0; index--) {
    size[immediate[order[index]!]!]! += size[order[index]!]!;
  }
  const start = new Uint32Array(count);
  const next = new Uint32Array(count).fill(1);
  for (const node of order) {
    if (position[node] === 0) continue;
    const parent = immediate[node]!;
    start[node] = start[parent]! + next[parent]!;
    next[parent]! += size[node]!;
  }
  return (by, node) => start[by]! <= start[node]! && start[node]! < start[by]! + size[by]!;
}
