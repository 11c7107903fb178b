/**
 * Which instructions of a function can run at all, and what registers surely hold there. Branches on
 * constants and on read-only data (`const volatile` settings, the kernel's configuration, CO-RE
 * answers) are decided, as the kernel's verifier decides them: code that they guard may use what does
 * not exist. Loose otherwise: registers only, no memory, no ranges.
 */

import {
  ALU,
  ATOMIC,
  accessSize,
  instructionClass,
  JUMP,
  jumpDistance,
  MODE,
  mode,
  operation,
  usesSourceRegister,
} from "#wasm/engines/opcodes.ts";
import {
  arithmeticValue,
  comparisonResult,
  numberValue,
  sameValue,
  type Value,
} from "./constant_value.ts";
import { CLASS, type Code, FRAME_POINTER, type Instruction, OPCODE } from "./instructions.ts";
import type { Reference, Subprogram } from "./linked_program.ts";

/** Values of r0 to r10. */
export type Registers = readonly Value[];

export interface FlowInput {
  readonly code: Code;
  /** By slot. */
  readonly references: ReadonlyMap<number, Reference>;
  /** Bytes of maps that nobody changes once programs run, by map name. */
  readonly readOnlyData: ReadonlyMap<string, Uint8Array>;
}

type Visit = (slot: number, instruction: Instruction, registers: Registers) => void;

/**
 * Calls `visit` for every instruction that can run, in order, with the registers before it. The
 * function must be well-formed: jumps lead to its own instructions, and it does not fall off its end.
 */
export function visitReachable(input: FlowInput, one: Subprogram, visit: Visit): void {
  const states = new Map<number, Value[]>();
  const entry: Value[] = new Array(FRAME_POINTER + 1).fill(undefined);
  entry[FRAME_POINTER] = { kind: "frame", offset: 0 };
  states.set(one.start, entry);
  const targets = jumpTargets(input.code, one);
  const pending = [one.start];
  for (let slot = pending.pop(); slot !== undefined; slot = pending.pop()) {
    walk(input, slot, [...states.get(slot)!], targets, (to, registers) => {
      if (merge(states, to, registers)) pending.push(to);
    });
  }
  for (const start of [...states.keys()].sort((a, b) => a - b)) {
    walk(input, start, [...states.get(start)!], targets, () => {}, visit);
  }
}

function jumpTargets(code: Code, one: Subprogram): Set<number> {
  const targets = new Set<number>();
  for (let slot = one.start; slot < one.start + one.length; slot++) {
    const distance = jumpDistance(code.at(slot));
    if (distance !== undefined) targets.add(slot + 1 + distance);
    if (code.isLddw(slot)) slot++;
  }
  return targets;
}

/** Returns whether the state at `slot` became new or less certain. */
function merge(states: Map<number, Value[]>, slot: number, registers: Registers): boolean {
  const known = states.get(slot);
  if (known === undefined) {
    states.set(slot, [...registers]);
    return true;
  }
  let changed = false;
  for (let i = 0; i < known.length; i++) {
    if (known[i] === undefined || sameValue(known[i], registers[i])) continue;
    known[i] = undefined;
    changed = true;
  }
  return changed;
}

/** Follows the code from `start` to where it branches, ends or meets the target of a jump. */
function walk(
  input: FlowInput,
  start: number,
  registers: Value[],
  targets: ReadonlySet<number>,
  leave: (to: number, registers: Registers) => void,
  visit?: Visit,
): void {
  for (let slot = start; ; ) {
    const instruction = input.code.at(slot);
    visit?.(slot, instruction, registers);
    if (instruction.opcode === OPCODE.EXIT) return;
    const distance = jumpDistance(instruction);
    if (distance !== undefined) {
      const taken = isTaken(instruction, registers);
      if (taken !== false) leave(slot + 1 + distance, registers);
      if (taken === true) return;
    } else {
      step(input, slot, instruction, registers);
    }
    slot += input.code.isLddw(slot) ? 2 : 1;
    if (targets.has(slot)) {
      leave(slot, registers);
      return;
    }
  }
}

function isTaken(instruction: Instruction, registers: Registers): boolean | undefined {
  const { opcode, dst } = instruction;
  if (opcode === OPCODE.JA || opcode === OPCODE.JA32) return true;
  if (opcode === OPCODE.MAY_GOTO || registers[dst] === undefined) return undefined;
  return comparisonResult(instruction, registers[dst], operand(instruction, registers));
}

function operand(instruction: Instruction, registers: Registers): Value {
  if (usesSourceRegister(instruction)) return registers[instruction.src];
  return numberValue(BigInt(instruction.imm));
}

/** What the instruction leaves in registers. */
function step(input: FlowInput, slot: number, instruction: Instruction, registers: Value[]): void {
  const { dst, src, imm } = instruction;
  switch (instructionClass(instruction)) {
    case CLASS.LD:
      registers[dst] = immediateValue(input, slot, imm);
      return;
    case CLASS.LDX:
      registers[dst] = loadedValue(input, instruction, registers[src]);
      return;
    case CLASS.STX:
      if (mode(instruction) !== MODE.ATOMIC) return;
      if (imm === ATOMIC.LOAD_ACQUIRE) registers[dst] = undefined;
      else if (imm === ATOMIC.CMPXCHG) registers[0] = undefined;
      else if ((imm & ATOMIC.FETCH) !== 0) registers[src] = undefined;
      return;
    case CLASS.ALU:
    case CLASS.ALU64:
      // Nothing is known of the result, so the operand need not be looked at.
      if (registers[dst] === undefined && operation(instruction) !== ALU.MOV) return;
      registers[dst] = arithmeticValue(
        instruction,
        registers[dst],
        operand(instruction, registers),
      );
      return;
    case CLASS.JMP:
      if (operation(instruction) === JUMP.CALL) registers.fill(undefined, 0, 6);
  }
}

function immediateValue(input: FlowInput, slot: number, imm: number): Value {
  const reference = input.references.get(slot);
  if (reference?.kind === "map_value") {
    return { kind: "data", map: reference.map, offset: reference.offset };
  }
  if (reference !== undefined) return undefined;
  return numberValue((BigInt(input.code.imm(slot + 1)) << 32n) | BigInt(imm >>> 0));
}

function loadedValue(input: FlowInput, instruction: Instruction, base: Value): Value {
  if (base?.kind !== "data" || mode(instruction) !== MODE.MEM) return undefined;
  const data = input.readOnlyData.get(base.map);
  const start = base.offset + instruction.offset;
  const size = accessSize(instruction);
  if (data === undefined || start < 0 || start + size > data.length) return undefined;
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(data[start + i]!);
  return numberValue(value);
}
