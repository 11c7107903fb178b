/** A program taken apart into functions, for the analyses that engines make before they compile. */
import { VerifierError } from "#core/errors.ts";
import { CALL_SOURCE, Code, type Instruction, OPCODE } from "#wasm/loader/instructions.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";
import { malformation, secondSlotMalformation } from "./instruction_check.ts";
import { endsBlock, jumpDistance } from "./opcodes.ts";

/** The instructions of one function: slots from `start` up to `end`. */
export interface FunctionCode {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** Whether it has jumps that do not go forward. */
  readonly loops: boolean;
}

export interface ProgramCode {
  readonly program: string;
  /** By slot; undefined for the second slot of an LDDW. */
  readonly instructions: readonly (Instruction | undefined)[];
  /** The high half of an LDDW's immediate, by the slot where it starts. */
  highImmediate(slot: number): number;
  readonly functions: readonly FunctionCode[];
  /** Where functions start that the program's own code calls, or names as callbacks. */
  readonly called: ReadonlySet<number>;
  /** By slot: 1 where something jumps to, and behind jumps. */
  readonly leaders: Uint8Array;
  /** Slot of the function's loop heads: targets of jumps that do not go forward, with the loop's
   * length in slots (of the longest, where several share a head). */
  readonly loops: ReadonlyMap<number, number>;
}

/** Refuses a program as the kernel's verifier would. */
export function refuse(program: string, slot: number, problem: string): VerifierError {
  return new VerifierError(program, `instruction ${slot}: ${problem}`, `${slot}: ${problem}`);
}

/** Throws `VerifierError` for malformed instructions and jumps out of a function. */
export function takeApart(program: LinkedProgram): ProgramCode {
  const code = new Code(program.code);
  const instructions: (Instruction | undefined)[] = [];
  for (let slot = 0; slot < code.slots; slot++) {
    const instruction = code.at(slot);
    const problem = malformation(instruction);
    if (problem !== undefined) throw refuse(program.name, slot, problem);
    instructions.push(instruction);
    if (instruction.opcode !== OPCODE.LDDW) continue;
    const second = slot + 1 < code.slots ? code.at(slot + 1) : undefined;
    const missing = secondSlotMalformation(second);
    if (missing !== undefined) throw refuse(program.name, slot, missing);
    instructions.push(undefined);
    slot++;
  }
  const leaders = new Uint8Array(code.slots + 1);
  const loops = new Map<number, number>();
  return {
    program: program.name,
    instructions,
    highImmediate: (slot) => code.imm(slot + 1),
    functions: program.subprograms.map(({ name, start, length }) => {
      const range = { name, start, end: start + length };
      return { ...range, loops: checkFlow(program.name, instructions, range, leaders, loops) };
    }),
    called: calledFunctions(program, instructions),
    leaders,
    loops,
  };
}

function calledFunctions(
  { references }: LinkedProgram,
  instructions: ProgramCode["instructions"],
): Set<number> {
  const called = new Set<number>();
  for (const reference of references) {
    if (reference.kind === "function") called.add(reference.target);
  }
  instructions.forEach((instruction, slot) => {
    if (instruction?.opcode !== OPCODE.CALL || instruction.src !== CALL_SOURCE.LOCAL) return;
    called.add(slot + 1 + instruction.imm);
  });
  return called;
}

/**
 * Jumps must land on instructions of their own function, which must not fall off its end. Notes where
 * blocks and loops begin; returns whether there are loops.
 */
function checkFlow(
  program: string,
  instructions: ProgramCode["instructions"],
  one: Omit<FunctionCode, "loops">,
  leaders: Uint8Array,
  loops: Map<number, number>,
): boolean {
  const loopsBefore = loops.size;
  let last: number | undefined;
  for (let slot = one.start; slot < one.end; slot++) {
    const instruction = instructions[slot];
    if (instruction === undefined) continue;
    last = slot;
    const distance = jumpDistance(instruction);
    if (distance === undefined) continue;
    const target = slot + 1 + distance;
    if (target < one.start || target >= one.end || instructions[target] === undefined) {
      throw refuse(program, slot, `jump to slot ${target}, which is no instruction of ${one.name}`);
    }
    leaders[target] = 1;
    leaders[slot + 1] = 1;
    if (target <= slot) {
      loops.set(target, Math.max(loops.get(target) ?? 0, slot - target + 1));
    }
  }
  if (last === undefined || !endsBlock(instructions[last]!)) {
    throw refuse(program, last ?? one.start, `${one.name} falls off its end`);
  }
  return loops.size > loopsBefore;
}
