/**
 * Makes a graph reducible: a loop with several entries gets one, a dispatch node that every jump to an
 * entry goes through, with the number of the entry. Only such loops pay for it; compilers
 * hardly ever produce them.
 */
import {
  dominanceTest,
  findDominators,
  positionsOf,
  predecessorsOf,
  reversePostorder,
  type Successors,
} from "./dominators.ts";

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
  let nodes = isReducible(successors) ? [] : edges.map((_, node) => node);
  // Each round looks into the loops of the last: without their heads, or behind their dispatch nodes.
  while (nodes.length > 0) {
    const components = stronglyConnected(edges, nodes);
    const entries = findEntries(edges, components);
    const heads = new Set(entries.filter(({ length }) => length === 1).flat());
    const first = edges.length;
    dispatchTo(
      edges,
      entries.filter(({ length }) => length > 1),
    );
    for (let dispatch = first; dispatch < edges.length; dispatch++) dispatches.add(dispatch);
    nodes = components.flat().filter((node) => !heads.has(node));
  }
  return { edges, dispatches };
}

export function isReducible(successors: Successors): boolean {
  const back = backwardEdges(successors);
  if (back.length === 0) return true;
  const dominates = dominanceTest(findDominators(successors, predecessorsOf(successors)));
  return back.every(({ node, target }) => dominates(target, node));
}

/** Edges to a node that does not come later in reverse postorder: none where there is no loop. */
function backwardEdges(successors: Successors): { node: number; target: number }[] {
  const position = positionsOf(reversePostorder(successors));
  const found: { node: number; target: number }[] = [];
  successors.forEach((targets, node) => {
    for (const target of targets) {
      if (position[target]! <= position[node]!) found.push({ node, target });
    }
  });
  return found;
}

/** Of each component, the nodes that are reached from outside of it. */
function findEntries(
  edges: readonly Edge[][],
  components: readonly (readonly number[])[],
): number[][] {
  const componentOf = new Int32Array(edges.length).fill(-1);
  components.forEach((members, index) => {
    for (const member of members) componentOf[member] = index;
  });
  const entries = components.map(() => new Set<number>());
  edges.forEach((targets, node) => {
    for (const { target } of targets) {
      const component = componentOf[target]!;
      if (component !== -1 && component !== componentOf[node]) entries[component]!.add(target);
    }
  });
  return entries.map((found) => [...found].sort((left, right) => left - right));
}

/** For each group of entries a new node, which every edge to one of them goes through. */
function dispatchTo(edges: Edge[][], groups: readonly (readonly number[])[]): void {
  const through = new Map<number, Edge>();
  groups.forEach((entries, index) => {
    const dispatch = edges.length + index;
    entries.forEach((entry, route) => {
      through.set(entry, { target: dispatch, route });
    });
  });
  for (const targets of edges) {
    targets.forEach((edge, index) => {
      targets[index] = through.get(edge.target) ?? edge;
    });
  }
  for (const entries of groups) edges.push(entries.map((target) => ({ target, route: -1 })));
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
