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

export function predecessorsOf(successors: Successors): number[][] {
  const predecessors: number[][] = successors.map(() => []);
  successors.forEach((targets, node) => {
    for (const target of targets) predecessors[target]!.push(node);
  });
  return predecessors;
}

export interface Dominators {
  readonly order: readonly number[];
  /** Place of each node in `order`. */
  readonly position: Uint32Array;
  /** The immediate dominator of each node; the entry's is itself. */
  readonly immediate: Uint32Array;
}

/** Cooper, Harvey and Kennedy: intersecting paths up the tree until nothing changes. */
export function findDominators(
  successors: Successors,
  predecessors: readonly (readonly number[])[],
): Dominators {
  const order = reversePostorder(successors);
  const position = new Uint32Array(successors.length);
  order.forEach((node, index) => {
    position[node] = index;
  });
  // In terms of positions, so that an ancestor is always the smaller number.
  const parent = new Int32Array(order.length).fill(-1);
  parent[0] = 0;
  for (let changed = true; changed; ) {
    changed = false;
    for (let index = 1; index < order.length; index++) {
      let found = -1;
      for (const predecessor of predecessors[order[index]!]!) {
        const at = position[predecessor]!;
        if (parent[at] === -1) continue;
        found = found === -1 ? at : intersect(parent, at, found);
      }
      if (parent[index] === found) continue;
      parent[index] = found;
      changed = true;
    }
  }
  const immediate = new Uint32Array(successors.length);
  order.forEach((node, index) => {
    immediate[node] = order[parent[index]!]!;
  });
  return { order, position, immediate };
}

function intersect(parent: Int32Array, first: number, second: number): number {
  let left = first;
  let right = second;
  while (left !== right) {
    while (left > right) left = parent[left]!;
    while (right > left) right = parent[right]!;
  }
  return left;
}

/** Whether every path to `node` passes `by`. */
export function dominates(dominators: Dominators, by: number, node: number): boolean {
  const { position, immediate } = dominators;
  let at = node;
  while (position[at]! > position[by]!) at = immediate[at]!;
  return at === by;
}
