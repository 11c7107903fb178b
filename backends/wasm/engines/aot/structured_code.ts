/**
 * Turns a control-flow graph into WebAssembly's nested blocks, loops and ifs (Ramsey, "Beyond
 * Relooper", ICFP 2022): the dominator tree says what nests in what. A node that several jumps lead
 * forward to becomes the code after a block, a loop head the start of a loop; every other node stands
 * where it is jumped to. Without recursion: trees are as deep as programs are long.
 */
import type { ByteWriter } from "./byte_writer.ts";
import { type Dominators, findDominators, predecessorsOf } from "./dominators.ts";
import type { Edge, ReducibleGraph } from "./reducible.ts";
import { TYPE, WASM } from "./wasm_opcodes.ts";

/** Emits what the nodes hold. */
export interface NodeCode {
  /** The node's instructions, without its jump. */
  body(node: number): void;
  /** An i32 on the stack that is not 0 where the node's jump is taken. */
  condition(node: number): void;
  /** The end of a node without successors. */
  leave(node: number): void;
  /** Notes which successor the dispatch node that is jumped to next shall choose. */
  setRoute(route: number): void;
  /** An i32 on the stack that is not 0 where that route was noted. */
  routeIs(route: number): void;
}

export function writeStructured(graph: ReducibleGraph, code: NodeCode, out: ByteWriter): void {
  new Structurer(graph, code, out).run();
}

class Structurer {
  readonly #edges: readonly (readonly Edge[])[];
  readonly #dispatches: ReadonlySet<number>;
  readonly #code: NodeCode;
  readonly #out: ByteWriter;
  readonly #dominators: Dominators;
  readonly #isLoop: Uint8Array;
  readonly #forwardEdges: Uint32Array;
  /** Nodes that follow a block, by what immediately dominates them; the last in order first. */
  readonly #followers: number[][];
  /** How many labels were open, with its own, when a node's block or loop began. */
  readonly #blockDepth: Uint32Array;
  readonly #loopDepth: Uint32Array;
  #depth = 0;
  /** What is still to be done, the next at the end. */
  readonly #work: (() => void)[] = [];

  constructor(graph: ReducibleGraph, code: NodeCode, out: ByteWriter) {
    const count = graph.edges.length;
    this.#edges = graph.edges;
    this.#dispatches = graph.dispatches;
    this.#code = code;
    this.#out = out;
    const successors = graph.edges.map((edges) => edges.map(({ target }) => target));
    this.#dominators = findDominators(successors, predecessorsOf(successors));
    this.#isLoop = new Uint8Array(count);
    this.#forwardEdges = new Uint32Array(count);
    this.#blockDepth = new Uint32Array(count);
    this.#loopDepth = new Uint32Array(count);
    this.#followers = graph.edges.map(() => []);
    this.#classify(successors);
  }

  #classify(successors: readonly (readonly number[])[]): void {
    const { order, position, immediate } = this.#dominators;
    for (const node of order) {
      for (const target of successors[node]!) {
        if (position[target]! <= position[node]!) this.#isLoop[target] = 1;
        else this.#forwardEdges[target]! += 1;
      }
    }
    for (let index = order.length - 1; index > 0; index--) {
      const node = order[index]!;
      if (this.#forwardEdges[node]! > 1) this.#followers[immediate[node]!]!.push(node);
    }
  }

  run(): void {
    this.#tree(0);
    for (let step = this.#work.pop(); step !== undefined; step = this.#work.pop()) step();
    this.#out.byte(WASM.unreachable);
  }

  /** The node and everything that it dominates. */
  #tree(node: number): void {
    if (this.#isLoop[node] === 1) {
      this.#open(WASM.loop);
      this.#loopDepth[node] = this.#depth;
      this.#work.push(() => this.#close());
    }
    for (const follower of this.#followers[node]!) {
      this.#open(WASM.block);
      this.#blockDepth[follower] = this.#depth;
      this.#work.push(() => {
        this.#close();
        this.#tree(follower);
      });
    }
    this.#work.push(() => this.#node(node));
  }

  #node(node: number): void {
    if (this.#dispatches.has(node)) {
      this.#dispatch(node);
      return;
    }
    this.#code.body(node);
    const [first, second] = this.#edges[node]!;
    if (first === undefined) this.#code.leave(node);
    else if (second === undefined) this.#jump(node, first);
    else this.#choose(node, first, second);
  }

  #choose(node: number, otherwise: Edge, taken: Edge): void {
    this.#code.condition(node);
    if (this.#isPlainBranch(node, taken)) {
      this.#branch(WASM.br_if, node, taken.target);
      this.#jump(node, otherwise);
    } else if (this.#isPlainBranch(node, otherwise)) {
      this.#out.byte(WASM.i32_eqz);
      this.#branch(WASM.br_if, node, otherwise.target);
      this.#jump(node, taken);
    } else {
      this.#open(WASM.if);
      this.#work.push(
        () => this.#close(),
        () => this.#jump(node, otherwise),
        () => this.#out.byte(WASM.else),
      );
      this.#jump(node, taken);
    }
  }

  #dispatch(node: number): void {
    const edges = this.#edges[node]!;
    for (let route = edges.length - 1; route >= 0; route--) {
      this.#work.push(() => {
        this.#code.routeIs(route);
        this.#open(WASM.if);
        this.#work.push(() => this.#close());
        this.#jump(node, edges[route]!);
      });
    }
  }

  #isPlainBranch(node: number, { target, route }: Edge): boolean {
    return route < 0 && (this.#isBackward(node, target) || this.#forwardEdges[target]! > 1);
  }

  #isBackward(node: number, target: number): boolean {
    const { position } = this.#dominators;
    return position[target]! <= position[node]!;
  }

  #jump(node: number, { target, route }: Edge): void {
    if (route >= 0) this.#code.setRoute(route);
    if (this.#isBackward(node, target) || this.#forwardEdges[target]! > 1) {
      this.#branch(WASM.br, node, target);
    } else {
      this.#tree(target);
    }
  }

  #branch(opcode: number, node: number, target: number): void {
    const at = this.#isBackward(node, target) ? this.#loopDepth : this.#blockDepth;
    this.#out.byte(opcode);
    this.#out.u32(this.#depth - at[target]!);
  }

  #open(opcode: number): void {
    this.#out.byte(opcode);
    this.#out.byte(TYPE.none);
    this.#depth++;
  }

  #close(): void {
    this.#out.byte(WASM.end);
    this.#depth--;
  }
}
