/**
 * Makes a graph reducible: a loop with several entries gets one, a dispatch node that every jump to an
 * entry goes through, with the number of the entry. Only such loops pay for it; compilers
 * hardly ever produce them.
 */
import { dominates, findDominators, predecessorsOf, type Successors } from "./dominators.ts";

/** Where a jump leads: to a node, or through a dispatch node that goes on by `route`. */
export interface Edge {
  readonly target: number;
  /** Which successor of the dispatch node `target` is meant; -1 if it is none. */
  readonly route: number;
}

export interface ReducibleGraph {
  /** Nodes of the original keep their numbers; dispatch nodes follow. */
  readonly edges: readonly (readonly Edge[])[];
  readonly dispatches: ReadonlySet<number>;
}

/** Nothing may jump to the graph's entry. */
export function makeReducible(successors: Successors): ReducibleGraph {
  const edges: Edge[][] = successors.map((targets) =>
    targets.map((target) => ({ target, route: -1 })),
  );
  const dispatches = new Set<number>();
  if (!isReducible(successors)) {
    // Each round takes the strongly connected parts of what an outer loop holds behind its head.
    const pending: number[][] = [edges.map((_, node) => node)];
    for (let nodes = pending.pop(); nodes !== undefined; nodes = pending.pop()) {
      for (const component of stronglyConnected(edges, nodes)) {
        const inside = new Set(component);
        const entries = findEntries(edges, inside);
        const [head] = entries;
        if (entries.length === 1) pending.push(component.filter((node) => node !== head));
        else {
          dispatches.add(dispatchTo(edges, entries));
          pending.push(component);
        }
      }
    }
  }
  return { edges, dispatches };
}

export function isReducible(successors: Successors): boolean {
  const dominators = findDominators(successors, predecessorsOf(successors));
  const { position } = dominators;
  return successors.every((targets, node) =>
    targets.every(
      (target) => position[target]! > position[node]! || dominates(dominators, target, node),
    ),
  );
}

/** Nodes of a component that are reached from outside of it. */
function findEntries(edges: readonly Edge[][], inside: ReadonlySet<number>): number[] {
  const entries = new Set<number>();
  edges.forEach((targets, node) => {
    if (inside.has(node)) return;
    for (const { target } of targets) if (inside.has(target)) entries.add(target);
  });
  return [...entries].sort((left, right) => left - right);
}

/** Every edge to one of `entries` goes through a new node. */
function dispatchTo(edges: Edge[][], entries: readonly number[]): number {
  const dispatch = edges.length;
  const route = new Map(entries.map((entry, index) => [entry, index]));
  for (const targets of edges) {
    targets.forEach((edge, index) => {
      const through = route.get(edge.target);
      if (through !== undefined) targets[index] = { target: dispatch, route: through };
    });
  }
  edges.push(entries.map((target) => ({ target, route: -1 })));
  return dispatch;
}

/** Tarjan's algorithm on the part of the graph that `nodes` are; cycles only. */
function stronglyConnected(edges: readonly Edge[][], nodes: readonly number[]): number[][] {
  const index = new Map<number, number>(nodes.map((node) => [node, -1]));
  const low = new Map<number, number>();
  const held: number[] = [];
  const holding = new Set<number>();
  const components: number[][] = [];
  let counter = 0;
  const enter = (node: number): { node: number; edge: number } => {
    index.set(node, counter);
    low.set(node, counter++);
    held.push(node);
    holding.add(node);
    return { node, edge: 0 };
  };
  for (const root of nodes) {
    if (index.get(root) !== -1) continue;
    const path = [enter(root)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { node } = top;
      const target = edges[node]![top.edge++]?.target;
      if (target !== undefined) {
        const seen = index.get(target);
        if (seen === -1) path.push(enter(target));
        else if (seen !== undefined && holding.has(target)) {
          low.set(node, Math.min(low.get(node)!, seen));
        }
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) {
        low.set(parent.node, Math.min(low.get(parent.node)!, low.get(node)!));
      }
      if (low.get(node) !== index.get(node)) continue;
      const component = held.splice(held.lastIndexOf(node));
      for (const member of component) holding.delete(member);
      const cycle = component.length > 1 || edges[node]!.some((edge) => edge.target === node);
      if (cycle) components.push(component);
    }
  }
  return components;
}
