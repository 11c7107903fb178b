/** How often each instruction of a program ran, from the counters of its compiled code. */
import { controlFlow } from "#wasm/engines/aot/control_flow.ts";
import { isTailCall } from "#wasm/engines/aot/emit_probes.ts";
import { takeApart } from "#wasm/engines/function_code.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";

/** A conditional jump that runs can reach. */
export interface JumpCounts {
  readonly slot: number;
  readonly taken: number;
  readonly notTaken: number;
}

export interface InstructionCounts {
  /** Runs by slot; the second slot of a 64-bit load has none. A run that faults counts its last block whole. */
  readonly executed: Float64Array;
  readonly jumps: readonly JumpCounts[];
}

/** `counters`: two for each slot, as `ProgramProbes.counters` has them. */
export function countInstructions(
  program: LinkedProgram,
  counters: BigUint64Array,
): InstructionCounts {
  const code = takeApart(program);
  const slots = code.instructions.length;
  const executed = new Float64Array(slots);
  const jumps: JumpCounts[] = [];
  for (const one of code.functions) {
    const { blocks, successors } = controlFlow(code, one);
    blocks.forEach(({ start, end, terminator }, node) => {
      if (start === end) return;
      let count = Number(counters[start]!);
      for (let slot = start; slot < end; slot++) {
        const instruction = code.instructions[slot];
        if (instruction === undefined) continue;
        executed[slot] = count;
        if (slot + 1 < end && isTailCall(instruction)) count = Number(counters[slot + 1]!);
      }
      if (successors[node]!.length < 2) return;
      const taken = Number(counters[slots + terminator!]!);
      jumps.push({ slot: terminator!, taken, notTaken: count - taken });
    });
  }
  return { executed, jumps };
}
