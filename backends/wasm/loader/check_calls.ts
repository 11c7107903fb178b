/** Checks the call graph: how deep calls nest, and how much stack they take together. */

import { ERRNO } from "#core/errors.ts";
import type { LinkedProgram, Subprogram } from "./linked_program.ts";
import { refusal } from "./verifier_log.ts";

const FRAMES_MAX = 8;
const STACK_BYTES_MAX = 512;
/** Stack of the callers of a function that makes tail calls: their frames stay while it is replaced. */
const TAIL_CALL_STACK_BYTES_MAX = 256;
/** Linux 6.18 counts a frame in these units; older kernels, and those without a JIT, in 32 bytes. */
const STACK_UNIT_BYTES = 16;

/** A call of a function, or of a callback that a helper runs. */
export interface CallSite {
  readonly slot: number;
  /** Index of the callee in `subprograms`. */
  readonly callee: number;
  /** A timer's callback: runs later, on a stack of its own. */
  readonly later: boolean;
}

export interface FunctionUse {
  readonly calls: readonly CallSite[];
  /** Bytes of stack that it uses: the distance of the deepest access from the frame pointer. */
  readonly stackBytes: number;
  readonly tailCalls: boolean;
}

/** Throws `VerifierError` for recursion and for chains of calls that are too deep or too large. */
export function checkCalls(program: LinkedProgram, uses: readonly FunctionUse[]): void {
  new CallGraph(program, uses).check();
}

/** The longest chain of calls that starts in a function, by frames and, apart from that, by bytes. */
interface Chain {
  readonly frames: number;
  readonly bytes: number;
}

class CallGraph {
  readonly #program: LinkedProgram;
  readonly #uses: readonly FunctionUse[];
  readonly #chains = new Map<number, Chain>();

  constructor(program: LinkedProgram, uses: readonly FunctionUse[]) {
    this.#program = program;
    this.#uses = uses;
  }

  check(): void {
    const order = this.#calleesFirst();
    for (const index of order) this.#chains.set(index, this.#chain(index));
    const roots = [0, ...this.#uses.flatMap(({ calls }) => later(calls))];
    for (const root of new Set(roots)) this.#checkChain(root);
    this.#checkTailCalls(order.reverse());
  }

  /** Functions in an order in which callees stand before callers. Refuses recursion. */
  #calleesFirst(): number[] {
    const order: number[] = [];
    const state = new Uint8Array(this.#uses.length);
    const path: { readonly index: number; next: number }[] = [];
    const enter = (index: number) => {
      state[index] = ON_PATH;
      path.push({ index, next: 0 });
    };
    for (let root = 0; root < this.#uses.length; root++) {
      if (state[root] === UNSEEN) enter(root);
      for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
        const call = this.#uses[top.index]!.calls[top.next++];
        if (call === undefined) {
          state[top.index] = DONE;
          order.push(top.index);
          path.pop();
        } else if (call.later) {
          // It does not run inside its caller.
        } else if (state[call.callee] === ON_PATH) {
          const name = this.#function(call.callee).name;
          throw refusal(this.#program, call.slot, `calls ${name} again before it has returned`, {
            errno: ERRNO.E2BIG,
          });
        } else if (state[call.callee] === UNSEEN) {
          enter(call.callee);
        }
      }
    }
    return order;
  }

  #chain(index: number): Chain {
    let frames = 0;
    let bytes = 0;
    for (const { callee, later } of this.#uses[index]!.calls) {
      if (later) continue;
      const chain = this.#chains.get(callee)!;
      frames = Math.max(frames, chain.frames);
      bytes = Math.max(bytes, chain.bytes);
    }
    return { frames: frames + 1, bytes: bytes + this.#frameBytes(index) };
  }

  #frameBytes(index: number): number {
    return Math.ceil(this.#uses[index]!.stackBytes / STACK_UNIT_BYTES) * STACK_UNIT_BYTES;
  }

  #checkChain(root: number): void {
    const { frames, bytes } = this.#chains.get(root)!;
    const { name, start } = this.#function(root);
    if (frames > FRAMES_MAX) {
      const path = this.#longest(root, (chain) => chain.frames);
      throw refusal(
        this.#program,
        start,
        `calls nest ${frames} deep, more than ${FRAMES_MAX}: ${path}`,
        { errno: ERRNO.E2BIG, hint: "inline some of them" },
      );
    }
    if (bytes > STACK_BYTES_MAX) {
      const path = this.#longest(root, (chain) => chain.bytes);
      throw refusal(
        this.#program,
        start,
        `${name} and what it calls use ${bytes} bytes of stack, more than ${STACK_BYTES_MAX}: ${path}`,
        { errno: ERRNO.EACCES, hint: "keep large variables in a map" },
      );
    }
  }

  /** The chain that is longest by `measure`, as names. */
  #longest(root: number, measure: (chain: Chain) => number): string {
    const names: string[] = [];
    for (let at: number | undefined = root; at !== undefined; ) {
      names.push(this.#function(at).name);
      let next: number | undefined;
      for (const { callee, later } of this.#uses[at]!.calls) {
        if (later) continue;
        const best = next === undefined ? 0 : measure(this.#chains.get(next)!);
        if (measure(this.#chains.get(callee)!) > best) next = callee;
      }
      at = next;
    }
    return names.join(" > ");
  }

  /** Walks callers before callees with the most stack that callers may have in use. */
  #checkTailCalls(callersFirst: readonly number[]): void {
    const below = new Map<number, number>();
    for (const index of callersFirst) {
      const used = below.get(index) ?? 0;
      const { tailCalls, calls } = this.#uses[index]!;
      const { name, start } = this.#function(index);
      if (tailCalls && used >= TAIL_CALL_STACK_BYTES_MAX) {
        throw refusal(
          this.#program,
          start,
          `${name} makes tail calls while its callers use ${used} bytes of stack, which must be ` +
            `less than ${TAIL_CALL_STACK_BYTES_MAX}`,
          { errno: ERRNO.EACCES },
        );
      }
      for (const { callee, later } of calls) {
        if (later) continue;
        below.set(callee, Math.max(below.get(callee) ?? 0, used + this.#frameBytes(index)));
      }
    }
  }

  #function(index: number): Subprogram {
    return this.#program.subprograms[index]!;
  }
}

const UNSEEN = 0;
const ON_PATH = 1;
const DONE = 2;

function later(calls: readonly CallSite[]): number[] {
  return calls.filter((call) => call.later).map(({ callee }) => callee);
}
