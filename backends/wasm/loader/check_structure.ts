/** Checks that hold for every instruction, whether it runs or not: the form of the program. */

import { malformation, secondSlotMalformation } from "#wasm/engines/instruction_check.ts";
import { endsBlock, jumpDistance } from "#wasm/engines/opcodes.ts";
import { CALL_SOURCE, type Code, type Instruction, LDDW_SOURCE, OPCODE } from "./instructions.ts";
import type { LinkedProgram, Reference, Subprogram } from "./linked_program.ts";
import { refusal } from "./verifier_log.ts";

/** Throws `VerifierError` for the first instruction that is malformed or leads nowhere. */
export function checkStructure(
  program: LinkedProgram,
  code: Code,
  references: ReadonlyMap<number, Reference>,
): void {
  const starts = new Set(program.subprograms.map(({ start }) => start));
  const second = checkInstructions(program, code, references, starts);
  for (const one of program.subprograms) {
    checkJumps(program, code, one, second);
    checkAllReachable(program, code, one);
  }
}

/** Returns the slots that are second halves of 64-bit loads. */
function checkInstructions(
  program: LinkedProgram,
  code: Code,
  references: ReadonlyMap<number, Reference>,
  starts: ReadonlySet<number>,
): Set<number> {
  const second = new Set<number>();
  for (let slot = 0; slot < code.slots; slot++) {
    const instruction = code.at(slot);
    const problem =
      malformation(instruction) ?? whatItNames(instruction, slot, references.get(slot), starts);
    if (problem !== undefined) throw refusal(program, slot, problem);
    if (instruction.opcode !== OPCODE.LDDW) continue;
    const next = slot + 1 < code.slots ? code.at(slot + 1) : undefined;
    const incomplete = secondSlotMalformation(next);
    if (incomplete !== undefined) throw refusal(program, slot, incomplete);
    second.add(++slot);
    if (starts.has(slot)) throw refusal(program, slot - 1, "a function starts in its second half");
  }
  return second;
}

const REFERENCE_SOURCES: Readonly<Record<Reference["kind"], number>> = {
  map: LDDW_SOURCE.MAP,
  map_value: LDDW_SOURCE.MAP_VALUE,
  function: LDDW_SOURCE.FUNCTION,
};

function whatItNames(
  { opcode, src, imm }: Instruction,
  slot: number,
  reference: Reference | undefined,
  starts: ReadonlySet<number>,
): string | undefined {
  if (opcode === OPCODE.CALLX) return "kernels accept no call through a register";
  if (opcode === OPCODE.CALL && src === CALL_SOURCE.LOCAL && !starts.has(slot + 1 + imm)) {
    return `calls instruction ${slot + 1 + imm}, where no function starts`;
  }
  if (opcode !== OPCODE.LDDW) {
    return reference === undefined ? undefined : "refers to something without being a 64-bit load";
  }
  if (src !== (reference === undefined ? 0 : REFERENCE_SOURCES[reference.kind])) {
    return `has source ${src}, which the loader did not resolve`;
  }
  if (reference?.kind === "function" && !starts.has(reference.target)) {
    return `names instruction ${reference.target}, where no function starts`;
  }
  return undefined;
}

function checkJumps(
  program: LinkedProgram,
  code: Code,
  one: Subprogram,
  second: ReadonlySet<number>,
): void {
  const end = one.start + one.length;
  let last = one.start;
  for (let slot = one.start; slot < end; slot++) {
    if (second.has(slot)) continue;
    last = slot;
    const distance = jumpDistance(code.at(slot));
    if (distance === undefined) continue;
    const target = slot + 1 + distance;
    if (target < one.start || target >= end) {
      throw refusal(program, slot, `jumps to ${target}, out of function ${one.name}`);
    }
    if (second.has(target)) {
      throw refusal(program, slot, `jumps into the middle of the 64-bit load at ${target - 1}`);
    }
  }
  if (!endsBlock(code.at(last))) {
    throw refusal(program, last, `function ${one.name} goes on past its last instruction`);
  }
}

/** The kernel refuses code that no path leads to, whatever the conditions. */
function checkAllReachable(program: LinkedProgram, code: Code, one: Subprogram): void {
  const reached = new Uint8Array(one.length);
  const pending = [one.start];
  for (let slot = pending.pop(); slot !== undefined; slot = pending.pop()) {
    while (reached[slot - one.start] === 0) {
      reached[slot - one.start] = 1;
      const instruction = code.at(slot);
      const distance = jumpDistance(instruction);
      if (distance !== undefined) pending.push(slot + 1 + distance);
      if (endsBlock(instruction)) break;
      if (code.isLddw(slot)) reached[++slot - one.start] = 1;
      slot++;
    }
  }
  const missed = reached.indexOf(0);
  if (missed >= 0) throw refusal(program, one.start + missed, "no path leads here");
}
