/**
 * Which registers an instruction's successors still read. Registers are bits of a mask, r0 the
 * lowest. Calls read r1 to r5 and leave nothing in them, as the calling convention says.
 */
import { CLASS, FRAME_POINTER, type Instruction, OPCODE } from "#wasm/loader/instructions.ts";
import type { FunctionCode, ProgramCode } from "./function_code.ts";
import {
  ALU,
  ATOMIC,
  endsBlock,
  instructionClass,
  JUMP,
  jumpDistance,
  MODE,
  mode,
  operation,
  usesSourceRegister,
} from "./opcodes.ts";

const bit = (register: number): number => 1 << register;
const ARGUMENTS = 0b111110;
const CALLER_SAVED = 0b111111;
const ALWAYS_LIVE = bit(FRAME_POINTER);

interface Effect {
  readonly reads: number;
  readonly writes: number;
}

function arithmetic(instruction: Instruction): Effect {
  const { dst, src } = instruction;
  const op = operation(instruction);
  if (op === ALU.END || op === ALU.NEG) return { reads: bit(dst), writes: bit(dst) };
  const operand = usesSourceRegister(instruction) ? bit(src) : 0;
  return { reads: operand | (op === ALU.MOV ? 0 : bit(dst)), writes: bit(dst) };
}

function store(instruction: Instruction): Effect {
  const { dst, src, imm } = instruction;
  if (instructionClass(instruction) === CLASS.ST) return { reads: bit(dst), writes: 0 };
  if (mode(instruction) !== MODE.ATOMIC) return { reads: bit(dst) | bit(src), writes: 0 };
  if (imm === ATOMIC.LOAD_ACQUIRE) return { reads: bit(src), writes: bit(dst) };
  if (imm === ATOMIC.CMPXCHG) return { reads: bit(dst) | bit(src) | bit(0), writes: bit(0) };
  const fetches = (imm & ATOMIC.FETCH) !== 0;
  return { reads: bit(dst) | bit(src), writes: fetches ? bit(src) : 0 };
}

function jump(instruction: Instruction): Effect {
  const { opcode, dst, src } = instruction;
  const op = operation(instruction);
  if (opcode === OPCODE.EXIT) return { reads: bit(0), writes: 0 };
  if (op === JUMP.CALL) {
    const number = opcode === OPCODE.CALLX ? bit(dst) : 0;
    return { reads: ARGUMENTS | number, writes: CALLER_SAVED };
  }
  if (op === JUMP.JA || op === JUMP.MAY_GOTO) return { reads: 0, writes: 0 };
  return { reads: bit(dst) | (usesSourceRegister(instruction) ? bit(src) : 0), writes: 0 };
}

function effect(instruction: Instruction): Effect {
  switch (instructionClass(instruction)) {
    case CLASS.LD:
      return { reads: 0, writes: bit(instruction.dst) };
    case CLASS.LDX:
      return { reads: bit(instruction.src), writes: bit(instruction.dst) };
    case CLASS.ST:
    case CLASS.STX:
      return store(instruction);
    case CLASS.ALU:
    case CLASS.ALU64:
      return arithmetic(instruction);
    default:
      return jump(instruction);
  }
}

export interface Liveness {
  /** Registers that are read at or after the slot before they are written. */
  readonly before: Uint16Array;
  /** Registers that are read after the slot before they are written. */
  readonly after: Uint16Array;
}

/** Fills `live` for the slots of one function. */
export function analyseLiveness(code: ProgramCode, one: FunctionCode, live: Liveness): void {
  const { before, after } = live;
  for (let changed = true; changed; ) {
    changed = false;
    for (let slot = one.end - 1; slot >= one.start; slot--) {
      const instruction = code.instructions[slot];
      if (instruction === undefined) continue;
      let out = ALWAYS_LIVE;
      if (!endsBlock(instruction)) {
        out |= before[slot + (instruction.opcode === OPCODE.LDDW ? 2 : 1)]!;
      }
      const distance = jumpDistance(instruction);
      if (distance !== undefined) out |= before[slot + 1 + distance]!;
      const { reads, writes } = effect(instruction);
      const into = reads | (out & ~writes);
      after[slot] = out;
      if (before[slot] !== into) {
        before[slot] = into;
        changed = true;
      }
    }
  }
}

/** A register among r1 to r5 that nobody reads any more. */
export function freeArgument(live: number): number | undefined {
  const free = ARGUMENTS & ~live;
  return free === 0 ? undefined : 31 - Math.clz32(free);
}
