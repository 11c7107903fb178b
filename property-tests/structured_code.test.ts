/** Structured code against the graph that it was made of: the same nodes in the same order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "#wasm/engines/aot/byte_writer.ts";
import {
  dominanceTest,
  findDominators,
  predecessorsOf,
  type Successors,
} from "#wasm/engines/aot/dominators.ts";
import { writeModule } from "#wasm/engines/aot/module_writer.ts";
import { isReducible, makeReducible } from "#wasm/engines/aot/reducible.ts";
import { writeStructured } from "#wasm/engines/aot/structured_code.ts";
import { TYPE, WASM } from "#wasm/engines/aot/wasm_opcodes.ts";
import { controlFlowGraph } from "./arbitraries/graphs.ts";
import { checkProperty } from "./property.ts";

const STEPS_MAX = 200;

/** A function that calls import 0 with every node and asks import 1 at every condition. */
function compile(graph: Successors): Uint8Array<ArrayBuffer> {
  const body = new ByteWriter();
  const bytes = (...values: number[]): void => body.bytes(Uint8Array.from(values));
  const constant = (value: number): void => {
    bytes(WASM.i32_const);
    body.s32(value);
  };
  bytes(1, 1, TYPE.i32);
  const code = {
    body: (node: number) => {
      constant(node);
      bytes(WASM.call, 0);
    },
    condition: () => bytes(WASM.call, 1),
    leave: () => bytes(WASM.return),
    setRoute: (route: number) => {
      constant(route);
      bytes(WASM.local_set, 0);
    },
    routeIs: (route: number) => {
      constant(route);
      bytes(WASM.local_get, 0, WASM.i32_eq);
    },
  };
  writeStructured(makeReducible(graph), code, body);
  bytes(WASM.end);
  return writeModule({
    signatures: [
      { parameters: [TYPE.i32], results: [] },
      { parameters: [], results: [TYPE.i32] },
      { parameters: [], results: [] },
    ],
    imports: [
      { name: "visit", signature: 0 },
      { name: "decide", signature: 1 },
    ],
    functions: [{ signature: 2, body, exported: "run" }],
  });
}

class Stop extends Error {}

function runCompiled(graph: Successors, decisions: readonly boolean[]): number[] {
  const visited: number[] = [];
  let asked = 0;
  const runtime = {
    memory: new WebAssembly.Memory({ initial: 0 }),
    visit: (node: number) => {
      visited.push(node);
      if (visited.length === STEPS_MAX) throw new Stop();
    },
    decide: () => (decisions[asked++ % decisions.length] ? 1 : 0),
  };
  const module = new WebAssembly.Module(compile(graph));
  const { run } = new WebAssembly.Instance(module, { runtime }).exports as { run: () => void };
  try {
    run();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
  }
  return visited;
}

function walk(graph: Successors, decisions: readonly boolean[]): number[] {
  const visited: number[] = [];
  let asked = 0;
  for (let node: number | undefined = 0; node !== undefined && visited.length < STEPS_MAX; ) {
    visited.push(node);
    const targets: readonly number[] = graph[node]!;
    const second = targets.length === 2 && decisions[asked++ % decisions.length];
    node = targets[second ? 1 : 0];
  }
  return visited;
}

/** Whether no path from the entry to `node` avoids `by`. */
function dominatesByPaths(graph: Successors, by: number, node: number): boolean {
  if (by === node) return true;
  const seen = new Set([by]);
  const pending = by === 0 ? [] : [0];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (at === node) return false;
    if (seen.has(at)) continue;
    seen.add(at);
    pending.push(...graph[at]!);
  }
  return true;
}

const decisions = fc.array(fc.boolean(), { minLength: 1, maxLength: 40 });

describe("structured code", () => {
  it("visits the nodes that the graph's walk visits", () => {
    const property = fc.property(controlFlowGraph, decisions, (graph, chosen) => {
      expect(runCompiled(graph, chosen)).toEqual(walk(graph, chosen));
    });
    checkProperty("structured code follows the graph", property);
  });

  it("is also made of graphs that are not reducible", () => {
    const graphs = fc.sample(controlFlowGraph, { seed: 1, numRuns: 500 });
    expect(graphs.filter((graph) => !isReducible(graph)).length).toBeGreaterThan(50);
  });

  it("takes 20,000 nested conditions and a function of as many blocks", () => {
    const count = 20_000;
    const ladder = Array.from({ length: count }, (_, node) =>
      node < count - 2 ? [node + 1, count - 1] : node < count - 1 ? [count - 1] : [],
    );
    expect(runCompiled(ladder, [false]).length).toBe(STEPS_MAX);
  });
});

describe("graphs", () => {
  it("have the dominators that paths show", () => {
    const property = fc.property(controlFlowGraph, (graph) => {
      const dominates = dominanceTest(findDominators(graph, predecessorsOf(graph)));
      graph.forEach((_, node) => {
        graph.forEach((_unused, by) => {
          expect(dominates(by, node)).toBe(dominatesByPaths(graph, by, node));
        });
      });
    });
    checkProperty("dominators are what paths show", property);
  });

  it("are reducible once made so", () => {
    const property = fc.property(controlFlowGraph, (graph) => {
      const { edges, dispatches } = makeReducible(graph);
      expect(isReducible(edges.map((node) => node.map(({ target }) => target)))).toBe(true);
      if (isReducible(graph)) expect(dispatches.size).toBe(0);
    });
    checkProperty("graphs are made reducible", property);
  });
});
