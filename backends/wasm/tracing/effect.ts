/** What an instruction did, from the registers before it and after. */
import { accessSize, instructionClass, jumpDistance, MODE, mode } from "#wasm/engines/opcodes.ts";
import { helperName } from "#wasm/loader/helper_names.ts";
import { CALL_SOURCE, CLASS, FRAME_POINTER, OPCODE } from "#wasm/loader/instructions.ts";
import { helperParameters } from "./helper_parameters.ts";
import type { Step } from "./tracer.ts";

export interface Argument {
  readonly name: string;
  readonly value: bigint;
}

export interface HelperCall {
  readonly helper: string;
  readonly arguments: readonly Argument[];
}

export interface Store {
  readonly address: bigint;
  readonly value: bigint;
}

export interface Effect {
  /** Registers that hold something else than before, by number. */
  readonly changed: readonly { readonly register: number; readonly value: bigint }[];
  /** The slot that a conditional jump went to, where it was taken. */
  readonly jumpedTo?: number;
  readonly stored?: Store;
  /** r0 after a call, of a helper or a function. */
  readonly result?: bigint;
}

export function effectOf(step: Step, next: Step): Effect {
  const instruction = step.program.instructions[step.slot]!;
  const distance = jumpDistance(instruction);
  const jumps = distance !== undefined && next.slot !== step.slot + 1;
  const calls = instruction.opcode === OPCODE.CALL || instruction.opcode === OPCODE.CALLX;
  const stored = storeOf(step);
  const changed = [];
  for (let register = 0; register < FRAME_POINTER; register++) {
    const value = next.registers[register]!;
    if (value !== step.registers[register]) changed.push({ register, value });
  }
  return {
    changed,
    ...(jumps ? { jumpedTo: next.slot } : {}),
    ...(stored === undefined ? {} : { stored }),
    ...(calls ? { result: next.registers[0]! } : {}),
  };
}

/** Undefined for an instruction that calls no helper. */
export function helperCallOf({ program, slot, registers }: Step): HelperCall | undefined {
  const { opcode, src, dst, imm } = program.instructions[slot]!;
  const direct = opcode === OPCODE.CALL && src === CALL_SOURCE.HELPER;
  if (!direct && opcode !== OPCODE.CALLX) return undefined;
  const id = direct ? imm : Number(registers[dst]!);
  const names = helperParameters(id).filter((name) => name !== "...");
  return {
    helper: helperName(id) ?? `helper ${id}`,
    arguments: names.map((name, index) => ({ name, value: registers[index + 1]! })),
  };
}

/** What a plain store writes; undefined for everything else, atomics included. */
function storeOf({ program, slot, registers }: Step): Store | undefined {
  const instruction = program.instructions[slot]!;
  const kind = instructionClass(instruction);
  const plain = (kind === CLASS.ST || kind === CLASS.STX) && mode(instruction) === MODE.MEM;
  if (!plain) return undefined;
  const { dst, src, offset, imm } = instruction;
  const value = kind === CLASS.ST ? BigInt(imm) : registers[src]!;
  return {
    address: BigInt.asUintN(64, registers[dst]! + BigInt(offset)),
    value: BigInt.asUintN(8 * accessSize(instruction), value),
  };
}
