/**
 * Load-time checks of a linked program: the part of what the kernel's verifier refuses that can be
 * told without following values through memory. A program that passes can still fault while it runs.
 */

import { ERRNO, VerifierError } from "#core/errors.ts";
import {
  ALU,
  ATOMIC,
  accessSize,
  instructionClass,
  MODE,
  mode,
  operation,
  usesSourceRegister,
} from "#wasm/engines/opcodes.ts";
import { type CallSite, checkCalls, type FunctionUse } from "./check_calls.ts";
import { checkStructure } from "./check_structure.ts";
import { type FlowInput, type Registers, visitReachable } from "./constant_flow.ts";
import { helperName } from "./helper_names.ts";
import { CALL_SOURCE, CLASS, Code, type Instruction, OPCODE } from "./instructions.ts";
import { LIMITS } from "./limits.ts";
import {
  type LinkedProgram,
  POISON_HELPER,
  type PoisonedInstruction,
  type Subprogram,
} from "./linked_program.ts";
import { printable } from "./printable.ts";
import { refusal } from "./verifier_log.ts";

export interface CheckOptions {
  /** Whether a helper exists; default: every helper that a kernel has. */
  readonly knowsHelper?: (id: number) => boolean;
  /**
   * Bytes of maps that nobody changes once programs run (`.rodata*`, `.kconfig`), by map name: code
   * that they rule out is not held against a program.
   */
  readonly readOnlyData?: ReadonlyMap<string, Uint8Array>;
}

const FRAME_BYTES = 512;
const TAIL_CALL_HELPER = 12;
const TIMER_SET_CALLBACK_HELPER = 170;

/**
 * Returns the program; calls of unknown helpers that its data rules out are poisoned, in a copy.
 * Throws `VerifierError` with the instruction as text and its source line: EINVAL, EACCES for
 * accesses outside the stack, E2BIG for too many instructions or frames.
 */
export function checkProgram(program: LinkedProgram, options: CheckOptions = {}): LinkedProgram {
  const code = new Code(program.code);
  if (code.slots === 0) throw whole(program, "program is empty", ERRNO.EINVAL);
  if (code.slots > LIMITS.instructions) {
    const problem = `${code.slots} instructions, more than ${LIMITS.instructions}`;
    throw whole(program, problem, ERRNO.E2BIG);
  }
  const references = new Map(program.references.map((one) => [one.slot, one] as const));
  checkStructure(program, code, references);
  const input = { code, references, readOnlyData: options.readOnlyData ?? new Map() };
  const checker = new Checker(program, input, options);
  checkCalls(
    program,
    program.subprograms.map((one) => checker.check(one)),
  );
  return poisonCalls(program, checker.ruledOutCalls());
}

/** The program with calls that cannot run poisoned, so that engines need not know the helper. */
function poisonCalls(program: LinkedProgram, calls: readonly PoisonedInstruction[]): LinkedProgram {
  if (calls.length === 0) return program;
  const code = new Code(program.code.slice());
  for (const { slot } of calls) code.setImm(slot, POISON_HELPER);
  const poisoned = [...program.poisoned, ...calls].sort((a, b) => a.slot - b.slot);
  return { ...program, code: code.bytes, poisoned };
}

function whole(program: LinkedProgram, problem: string, errno: number): VerifierError {
  return new VerifierError(printable(program.name), problem, `${problem}\n`, { errno });
}

class Checker {
  readonly #program: LinkedProgram;
  readonly #input: FlowInput;
  readonly #knowsHelper: (id: number) => boolean;
  readonly #poisoned: ReadonlySet<number>;
  readonly #indexes: ReadonlyMap<number, number>;
  readonly #visitedCalls = new Set<number>();

  constructor(program: LinkedProgram, input: FlowInput, options: CheckOptions) {
    this.#program = program;
    this.#input = input;
    this.#knowsHelper = options.knowsHelper ?? ((id) => helperName(id) !== undefined);
    this.#poisoned = new Set(program.poisoned.map(({ slot }) => slot));
    this.#indexes = new Map(program.subprograms.map(({ start }, i) => [start, i] as const));
  }

  check(one: Subprogram): FunctionUse {
    let stackBytes = 0;
    let tailCalls = false;
    visitReachable(this.#input, one, (slot, instruction, registers) => {
      this.#checkArithmetic(slot, instruction);
      stackBytes = Math.max(stackBytes, this.#stackBytes(slot, instruction, registers));
      if (instruction.opcode !== OPCODE.CALL || instruction.src !== CALL_SOURCE.HELPER) return;
      this.#visitedCalls.add(slot);
      this.#checkHelper(slot, instruction.imm);
      if (instruction.imm === TAIL_CALL_HELPER) tailCalls = true;
    });
    return { calls: this.#calls(one), stackBytes, tailCalls };
  }

  /** What the kernel refuses although the instruction set defines it. */
  #checkArithmetic(slot: number, instruction: Instruction): void {
    const kind = instructionClass(instruction);
    if (kind !== CLASS.ALU && kind !== CLASS.ALU64) return;
    if (usesSourceRegister(instruction)) return;
    const { imm } = instruction;
    const op = operation(instruction);
    if ((op === ALU.DIV || op === ALU.MOD) && imm === 0) this.#refuse(slot, "divides by zero");
    const bits = kind === CLASS.ALU64 ? 64 : 32;
    const shifts = op === ALU.LSH || op === ALU.RSH || op === ALU.ARSH;
    if (shifts && (imm < 0 || imm >= bits)) {
      this.#refuse(slot, `shifts ${bits} bits by ${imm}`);
    }
  }

  #checkHelper(slot: number, id: number): void {
    if (this.#poisoned.has(slot) || this.#knowsHelper(id)) return;
    throw refusal(this.#program, slot, missingHelper(id), {
      hint: "guard the call by a setting that rules it out",
    });
  }

  /** Calls of helpers that do not exist, in code that cannot run. Call it after all checks. */
  ruledOutCalls(): PoisonedInstruction[] {
    const { code } = this.#input;
    const calls: PoisonedInstruction[] = [];
    for (let slot = 0; slot < code.slots; slot++) {
      const { opcode, src, imm } = code.at(slot);
      if (code.isLddw(slot)) slot++;
      if (opcode !== OPCODE.CALL || src !== CALL_SOURCE.HELPER) continue;
      if (this.#visitedCalls.has(slot) || this.#poisoned.has(slot)) continue;
      if (!this.#knowsHelper(imm)) calls.push({ slot, reason: missingHelper(imm) });
    }
    return calls;
  }

  /** Bytes of stack that an instruction uses for certain. */
  #stackBytes(slot: number, instruction: Instruction, registers: Registers): number {
    if (instruction.opcode === OPCODE.CALL) return deepestArgument(registers);
    const base = memoryBase(instruction);
    const pointer = base === undefined ? undefined : registers[base];
    if (pointer?.kind !== "frame") return 0;
    const offset = pointer.offset + instruction.offset;
    const size = accessSize(instruction);
    if (offset < -FRAME_BYTES || offset + size > 0) {
      this.#refuse(
        slot,
        `accesses ${size} bytes of stack at ${offset}, outside -${FRAME_BYTES} to 0`,
        ERRNO.EACCES,
      );
    }
    if (offset % size !== 0) {
      this.#refuse(slot, `accesses ${size} bytes of stack at ${offset}, misaligned`, ERRNO.EACCES);
    }
    return -offset;
  }

  #calls(one: Subprogram): CallSite[] {
    const { code, references } = this.#input;
    const calls: CallSite[] = [];
    for (let slot = one.start; slot < one.start + one.length; slot++) {
      const { opcode, src, imm } = code.at(slot);
      if (opcode === OPCODE.CALL && src === CALL_SOURCE.LOCAL) {
        calls.push({ slot, callee: this.#indexes.get(slot + 1 + imm)!, later: false });
      }
      const reference = references.get(slot);
      if (reference?.kind === "function") {
        calls.push({
          slot,
          callee: this.#indexes.get(reference.target)!,
          later: this.#setsTimer(one, slot),
        });
      }
      if (code.isLddw(slot)) slot++;
    }
    return calls;
  }

  /** Whether the next call after a callback's address was loaded hands it to a timer. */
  #setsTimer(one: Subprogram, from: number): boolean {
    const { code } = this.#input;
    for (let slot = from + 2; slot < one.start + one.length; slot++) {
      const { opcode, src, imm } = code.at(slot);
      if (opcode === OPCODE.CALL) {
        return src === CALL_SOURCE.HELPER && imm === TIMER_SET_CALLBACK_HELPER;
      }
    }
    return false;
  }

  #refuse(slot: number, problem: string, errno: number = ERRNO.EINVAL): never {
    throw refusal(this.#program, slot, problem, { errno });
  }
}

function missingHelper(id: number): string {
  const name = helperName(id);
  return `${name === undefined ? `helper ${id}` : `${name} (helper ${id})`} does not exist here`;
}

/** The register through which an instruction reaches memory. */
function memoryBase(instruction: Instruction): number | undefined {
  switch (instructionClass(instruction)) {
    case CLASS.LDX:
      return instruction.src;
    case CLASS.ST:
      return instruction.dst;
    case CLASS.STX: {
      const acquires = mode(instruction) === MODE.ATOMIC && instruction.imm === ATOMIC.LOAD_ACQUIRE;
      return acquires ? instruction.src : instruction.dst;
    }
    default:
      return undefined;
  }
}

/** A place in the frame that is handed to a function is used, from there up. */
function deepestArgument(registers: Registers): number {
  let deepest = 0;
  for (let register = 1; register <= 5; register++) {
    const value = registers[register];
    if (value?.kind !== "frame" || value.offset < -FRAME_BYTES) continue;
    deepest = Math.max(deepest, -value.offset);
  }
  return deepest;
}
