/**
 * What is known of the registers before each instruction of a function, along all paths to it.
 * Conservative: what comes from memory or out of a loop may be anything.
 */
import {
  CALL_SOURCE,
  CLASS,
  FRAME_POINTER,
  type Instruction,
  OPCODE,
} from "#wasm/loader/instructions.ts";
import type { FunctionCode, ProgramCode } from "./function_code.ts";
import {
  ATOMIC,
  accessSize,
  endsBlock,
  instructionClass,
  JUMP,
  jumpDistance,
  MODE,
  mode,
  operation,
} from "./opcodes.ts";
import { arithmetic32, arithmetic64, loaded } from "./register_arithmetic.ts";
import {
  constant,
  FRAME,
  isConstant,
  join,
  object,
  POINTER,
  same,
  UNKNOWN,
  type ValueRange,
} from "./value_range.ts";

/** What an LDDW yields that names something. */
export type Named =
  | {
      readonly kind: "map";
      /** By programs. */
      readonly writable: boolean;
      /** Of the values that lookups find; 0 where they find something else. */
      readonly valueBytes: number;
      readonly array: ArrayPlace | undefined;
    }
  | { readonly kind: "map_value"; readonly address: number; readonly writable: boolean }
  | { readonly kind: "function" };

/** Where the values of an array lie that programs look up. */
export interface ArrayPlace {
  readonly address: number;
  readonly entries: number;
  /** Bytes from a key's value to the next key's. */
  readonly stride: number;
  /** Bytes from a CPU's value to the next CPU's; 0 where all share one. */
  readonly cpuStride: number;
}

/** By number of the register; valid during the visit. */
export type Registers = readonly ValueRange[];

export type Visit = (instruction: Instruction, slot: number, registers: Registers) => void;

/** Helpers that return a pointer to a map's value, or NULL. */
const MAP_VALUE_HELPERS: ReadonlySet<number> = new Set([1, 195]);
/** Returns a record that the program may write until it gives it back, or NULL. */
const RINGBUF_RESERVE = 131;
const REGISTERS = 11;

export class RegisterFlow {
  readonly #code: ProgramCode;
  readonly #named: ReadonlyMap<number, Named>;

  constructor(code: ProgramCode, named: ReadonlyMap<number, Named>) {
    this.#code = code;
    this.#named = named;
  }

  /** Visits every instruction that may run, in order of slots. */
  walk(one: FunctionCode, entry: boolean, visit: Visit): void {
    /** Where blocks start, by slot from the function's start. */
    const known: ValueRange[][] = new Array(one.end - one.start);
    known[0] = entryRegisters(entry);
    if (one.loops) while (!this.#pass(one, known, undefined));
    this.#pass(one, known, visit);
  }

  /** One walk over the function; false when a jump backwards brought news to its target. */
  #pass(one: FunctionCode, known: ValueRange[][], visit: Visit | undefined): boolean {
    const { instructions, leaders } = this.#code;
    let settled = true;
    let registers: ValueRange[] | undefined = known[0]!.slice();
    for (let slot = one.start; slot < one.end; slot++) {
      const instruction = instructions[slot];
      if (instruction === undefined) continue;
      if (leaders[slot] === 1) {
        if (registers !== undefined) merge(known, slot - one.start, registers, false);
        registers = known[slot - one.start]?.slice();
      }
      if (registers === undefined) continue;
      visit?.(instruction, slot, registers);
      this.#step(instruction, slot, registers);
      const distance = jumpDistance(instruction);
      if (distance === undefined) {
        if (instruction.opcode === OPCODE.EXIT) registers = undefined;
        continue;
      }
      const news = !merge(known, slot + 1 + distance - one.start, registers, distance < 0);
      if (news && distance < 0) settled = false;
      if (endsBlock(instruction)) registers = undefined;
    }
    return settled;
  }

  /** What the instruction does to the registers. */
  #step(instruction: Instruction, slot: number, registers: ValueRange[]): void {
    const { dst, src, imm } = instruction;
    switch (instructionClass(instruction)) {
      case CLASS.LD:
        registers[dst] = this.#immediate(slot, imm);
        break;
      case CLASS.LDX:
        registers[dst] = loaded(accessSize(instruction), mode(instruction) === MODE.MEMSX);
        break;
      case CLASS.STX:
        if (mode(instruction) !== MODE.ATOMIC) break;
        if (imm === ATOMIC.LOAD_ACQUIRE) registers[dst] = loaded(accessSize(instruction), false);
        else if (imm === ATOMIC.CMPXCHG) registers[0] = loaded(accessSize(instruction), false);
        else if ((imm & ATOMIC.FETCH) !== 0) {
          registers[src] = loaded(accessSize(instruction), false);
        }
        break;
      case CLASS.ALU:
        registers[dst] = arithmetic32(instruction, registers);
        break;
      case CLASS.ALU64:
        registers[dst] = arithmetic64(instruction, registers);
        break;
      case CLASS.JMP:
        if (operation(instruction) === JUMP.CALL) {
          registers[0] = this.#returned(instruction, registers);
          registers.fill(UNKNOWN, 1, 6);
        }
    }
  }

  #immediate(slot: number, imm: number): ValueRange {
    const named = this.#named.get(slot);
    switch (named?.kind) {
      case "map":
        return { ...POINTER, map: slot };
      case "map_value": {
        const at = constant(named.address);
        return named.writable ? { ...at, base: "object", offset: named.address } : at;
      }
      case "function":
        return POINTER;
      default: {
        const high = this.#code.highImmediate(slot);
        return constant(high * 2 ** 32 + (imm >>> 0));
      }
    }
  }

  #returned({ opcode, src, imm }: Instruction, registers: Registers): ValueRange {
    if (opcode !== OPCODE.CALL || src !== CALL_SOURCE.HELPER) return UNKNOWN;
    if (imm === RINGBUF_RESERVE) return object(recordBytes(registers[2]!));
    if (!MAP_VALUE_HELPERS.has(imm)) return UNKNOWN;
    const map = this.#named.get(registers[1]!.map);
    return map?.kind === "map" && map.writable ? object(map.valueBytes) : POINTER;
  }
}

/** Of a record of `size` bytes; 0 where that is not known. */
function recordBytes(size: ValueRange): number {
  return isConstant(size) && size.low > 0 && size.low < 2 ** 32 ? size.low : 0;
}

/** r1 is the context of an entry function; other functions get what their callers have. */
function entryRegisters(entry: boolean): ValueRange[] {
  const registers = new Array<ValueRange>(REGISTERS).fill(UNKNOWN);
  if (entry) registers[1] = POINTER;
  registers[FRAME_POINTER] = FRAME;
  return registers;
}

/**
 * Joins `registers` into what is known at `at`. Returns false where that told something new. At the
 * target of a jump backwards, what changes from round to round is given up.
 */
function merge(known: ValueRange[][], at: number, registers: Registers, widen: boolean): boolean {
  const before = known[at];
  if (before === undefined) {
    known[at] = registers.slice();
    return false;
  }
  let unchanged = true;
  for (let register = 0; register < REGISTERS; register++) {
    const value = before[register]!;
    const both = join(value, registers[register]!);
    if (both === value || same(both, value)) continue;
    unchanged = false;
    before[register] = widen ? UNKNOWN : both;
  }
  return unchanged;
}
