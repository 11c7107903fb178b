/** The control-flow graph of one function: basic blocks that the entry reaches. */
import type { FunctionCode, ProgramCode } from "#wasm/engines/function_code.ts";
import { endsBlock, jumpDistance } from "#wasm/engines/opcodes.ts";
import { OPCODE } from "#wasm/loader/instructions.ts";

/** Instructions that run one after the other: slots from `start` up to `end`. */
export interface BasicBlock {
  readonly start: number;
  readonly end: number;
  /** Slot of the jump or exit that ends it; undefined where it just goes on to the next block. */
  readonly terminator: number | undefined;
}

/**
 * Nodes are numbered from 0, the entry. `successors` of a conditional jump: first where it falls
 * through to, then where it jumps; a node that leaves the function has none.
 */
export interface ControlFlow {
  readonly blocks: readonly BasicBlock[];
  readonly successors: readonly (readonly number[])[];
}

/** The function's jumps must be checked (`takeApart`). */
export function controlFlow(code: ProgramCode, one: FunctionCode): ControlFlow {
  const blocks: BasicBlock[] = [];
  const targets: number[][] = [];
  const nodes = new Map<number, number>();
  const node = (slot: number): number => {
    const known = nodes.get(slot);
    if (known !== undefined) return known;
    const { block, next } = scanBlock(code, slot);
    nodes.set(slot, blocks.length);
    targets.push(next);
    return blocks.push(block) - 1;
  };
  if (code.leaders[one.start] === 1) {
    // Nothing jumps to the entry: a loop at the function's start begins behind it.
    blocks.push({ start: one.start, end: one.start, terminator: undefined });
    targets.push([one.start]);
  } else {
    node(one.start);
  }
  const successors: number[][] = [];
  for (let index = 0; index < blocks.length; index++) successors.push(targets[index]!.map(node));
  return { blocks, successors };
}

function scanBlock(code: ProgramCode, start: number): { block: BasicBlock; next: number[] } {
  for (let slot = start; ; ) {
    const instruction = code.instructions[slot]!;
    const after = slot + (instruction.opcode === OPCODE.LDDW ? 2 : 1);
    const distance = jumpDistance(instruction);
    if (distance !== undefined) {
      const target = slot + 1 + distance;
      const next = endsBlock(instruction) || target === after ? [target] : [after, target];
      return { block: { start, end: after, terminator: slot }, next };
    }
    if (instruction.opcode === OPCODE.EXIT) {
      return { block: { start, end: after, terminator: slot }, next: [] };
    }
    if (code.leaders[after] === 1) {
      return { block: { start, end: after, terminator: undefined }, next: [after] };
    }
    slot = after;
  }
}
