/**
 * Which memory accesses surely have an address below 4 GiB, go to writable memory and are aligned:
 * those need no check beyond "does this memory belong to the program". Conservative: an access whose
 * base comes from memory or from an unbounded index is never sure.
 */
import {
  CALL_SOURCE,
  CLASS,
  FRAME_POINTER,
  type Instruction,
  OPCODE,
} from "#wasm/loader/instructions.ts";
import { type FunctionCode, type ProgramCode, refuse } from "./function_code.ts";
import {
  ALU,
  ATOMIC,
  accessSize,
  endsBlock,
  instructionClass,
  JUMP,
  jumpDistance,
  MODE,
  mode,
  operation,
  usesSourceRegister,
} from "./opcodes.ts";
import {
  constant,
  FRAME,
  isConstant,
  join,
  OBJECT,
  POINTER,
  RANGE,
  range,
  same,
  truncate,
  U32,
  UNKNOWN,
  type ValueRange,
} from "./value_range.ts";

/** What an LDDW yields that names something. */
export type Named =
  | { readonly kind: "map"; readonly writable: boolean }
  | { readonly kind: "map_value"; readonly address: number; readonly writable: boolean }
  | { readonly kind: "function" };

/** Slots of accesses that need a check. */
export type UnsureAccesses = ReadonlySet<number>;

export interface AccessFindings {
  readonly unsure: UnsureAccesses;
  /** Slots of accesses to the function's own frame, aligned where they must be. */
  readonly ownFrame: ReadonlySet<number>;
}

const FRAME_BYTES = 512;
/** No program may touch the first MiB, so addresses may wrap that far. */
const SLACK = 2 ** 19;
/** Helpers that return a pointer to a map's value, or NULL. */
const MAP_VALUE_HELPERS: ReadonlySet<number> = new Set([1, 195]);
/** Helpers that return a pointer to memory that programs may always write, or NULL. */
const RECORD_HELPERS: ReadonlySet<number> = new Set([131]);

type State = readonly ValueRange[];

export class AccessAnalysis {
  readonly #code: ProgramCode;
  readonly #named: ReadonlyMap<number, Named>;
  readonly #unsure = new Set<number>();
  readonly #ownFrame = new Set<number>();

  constructor(code: ProgramCode, named: ReadonlyMap<number, Named>) {
    this.#code = code;
    this.#named = named;
  }

  /** Throws `VerifierError` for an access beyond the frame. */
  run(): AccessFindings {
    this.#code.functions.forEach((one, index) => {
      this.#analyse(one, index === 0);
    });
    return { unsure: this.#unsure, ownFrame: this.#ownFrame };
  }

  #analyse(one: FunctionCode, entry: boolean): void {
    const states = new Map<number, State>();
    states.set(one.start, entryState(entry));
    for (let settled = false; !settled; ) settled = this.#pass(one, states);
    for (let slot = one.start; slot < one.end; slot++) {
      const state = states.get(slot);
      const instruction = this.#code.instructions[slot];
      if (state !== undefined && instruction !== undefined) this.#judge(instruction, slot, state);
    }
  }

  /** One walk over the function; false when a jump backwards brought news to its target. */
  #pass(one: FunctionCode, states: Map<number, State>): boolean {
    let settled = true;
    for (let slot = one.start; slot < one.end; slot++) {
      const instruction = this.#code.instructions[slot];
      const state = states.get(slot);
      if (instruction === undefined || state === undefined) continue;
      const next = this.#step(instruction, slot, state);
      const distance = jumpDistance(instruction);
      if (distance !== undefined && !merge(states, slot + 1 + distance, next, distance < 0)) {
        if (distance < 0) settled = false;
      }
      if (!endsBlock(instruction)) {
        merge(states, slot + (instruction.opcode === OPCODE.LDDW ? 2 : 1), next, false);
      }
    }
    return settled;
  }

  #step(instruction: Instruction, slot: number, state: State): State {
    const next = [...state];
    const { dst, src, imm } = instruction;
    switch (instructionClass(instruction)) {
      case CLASS.LD:
        next[dst] = this.#immediate(slot, imm);
        return next;
      case CLASS.LDX:
        next[dst] = loaded(accessSize(instruction), mode(instruction) === MODE.MEMSX);
        return next;
      case CLASS.STX:
        if (mode(instruction) !== MODE.ATOMIC) return state;
        if (imm === ATOMIC.LOAD_ACQUIRE) next[dst] = loaded(accessSize(instruction), false);
        else if (imm === ATOMIC.CMPXCHG) next[0] = loaded(accessSize(instruction), false);
        else if ((imm & ATOMIC.FETCH) !== 0) next[src] = loaded(accessSize(instruction), false);
        return next;
      case CLASS.ALU:
        next[dst] = arithmetic32(instruction, state);
        return next;
      case CLASS.ALU64:
        next[dst] = arithmetic64(instruction, state);
        return next;
      case CLASS.JMP:
        if (operation(instruction) !== JUMP.CALL) return state;
        next.fill(UNKNOWN, 0, 6);
        next[0] = this.#returned(instruction, state);
        return next;
      default:
        return state;
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

  #returned({ opcode, src, imm }: Instruction, state: State): ValueRange {
    if (opcode !== OPCODE.CALL || src !== CALL_SOURCE.HELPER) return UNKNOWN;
    if (RECORD_HELPERS.has(imm)) return OBJECT;
    if (!MAP_VALUE_HELPERS.has(imm)) return UNKNOWN;
    const map = this.#named.get(state[1]!.map);
    return map?.kind === "map" && map.writable ? OBJECT : POINTER;
  }

  #judge(instruction: Instruction, slot: number, state: State): void {
    const kind = instructionClass(instruction);
    if (kind !== CLASS.LDX && kind !== CLASS.ST && kind !== CLASS.STX) return;
    const atomic = mode(instruction) === MODE.ATOMIC && kind === CLASS.STX;
    const acquires = atomic && instruction.imm === ATOMIC.LOAD_ACQUIRE;
    const reads = kind === CLASS.LDX || acquires;
    const base = state[reads ? instruction.src : instruction.dst]!;
    const size = accessSize(instruction);
    const at = base.offset + instruction.offset;
    if (base.base === "frame" && (at < -FRAME_BYTES || at + size > 0)) {
      throw refuse(this.#code.program, slot, `stack access at r10${at < 0 ? "" : "+"}${at}`);
    }
    const low = base.low + instruction.offset;
    const high = base.high + instruction.offset + size;
    const sure =
      low >= -SLACK &&
      high <= 2 ** 32 + SLACK &&
      (reads || base.base !== "none") &&
      (!atomic || (base.base !== "none" && at % size === 0));
    if (!sure) this.#unsure.add(slot);
    else if (base.base === "frame") this.#ownFrame.add(slot);
  }
}

/** r1 is the context of an entry function; other functions get what their callers have. */
function entryState(entry: boolean): State {
  const state = new Array<ValueRange>(11).fill(UNKNOWN);
  if (entry) state[1] = POINTER;
  state[FRAME_POINTER] = FRAME;
  return state;
}

/**
 * Joins `state` into what is known at `slot`. Returns false where that told something new. At the
 * target of a jump backwards, what changes from round to round is given up.
 */
function merge(states: Map<number, State>, slot: number, state: State, widen: boolean): boolean {
  const known = states.get(slot);
  if (known === undefined) {
    states.set(slot, state);
    return false;
  }
  if (known === state) return true;
  let unchanged = true;
  const joined = known.map((value, register) => {
    const both = join(value, state[register]!);
    if (same(both, value)) return value;
    unchanged = false;
    return widen ? UNKNOWN : both;
  });
  if (!unchanged) states.set(slot, joined);
  return unchanged;
}

function loaded(size: number, signed: boolean): ValueRange {
  if (size === 8) return UNKNOWN;
  const bits = 8 * size;
  return signed ? range(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) : range(0, 2 ** bits - 1);
}

function operandOf(instruction: Instruction, state: State): ValueRange {
  return usesSourceRegister(instruction) ? state[instruction.src]! : constant(instruction.imm);
}

function arithmetic64(instruction: Instruction, state: State): ValueRange {
  const value = state[instruction.dst]!;
  const operand = operandOf(instruction, state);
  const shift = isConstant(operand) ? operand.low & 63 : undefined;
  const signed = instruction.offset !== 0;
  switch (operation(instruction)) {
    case ALU.MOV:
      return signed ? loaded(instruction.offset / 8, true) : operand;
    case ALU.ADD:
      return RANGE.add(value, operand);
    case ALU.SUB:
      return RANGE.subtract(value, operand);
    case ALU.AND:
      return RANGE.and(value, operand);
    case ALU.OR:
    case ALU.XOR:
      return RANGE.or(value, operand);
    case ALU.MUL:
      return RANGE.multiply(value, operand);
    case ALU.DIV:
      return signed ? UNKNOWN : RANGE.divide(value);
    case ALU.MOD:
      return signed ? UNKNOWN : RANGE.modulo(value, operand);
    case ALU.LSH:
      return shift === undefined ? UNKNOWN : RANGE.shiftLeft(value, shift);
    case ALU.RSH:
      return shift === undefined ? UNKNOWN : RANGE.shiftRight(value, shift);
    case ALU.ARSH:
      return value.low >= 0 && shift !== undefined ? RANGE.shiftRight(value, shift) : UNKNOWN;
    case ALU.END:
      return instruction.imm < 64 ? range(0, 2 ** instruction.imm - 1) : UNKNOWN;
    default:
      return UNKNOWN;
  }
}

function arithmetic32(instruction: Instruction, state: State): ValueRange {
  const value = truncate(state[instruction.dst]!);
  const operand = usesSourceRegister(instruction)
    ? truncate(state[instruction.src]!)
    : constant(instruction.imm >>> 0);
  const shift = isConstant(operand) ? operand.low & 31 : undefined;
  const signed = instruction.offset !== 0;
  switch (operation(instruction)) {
    case ALU.MOV:
      return signed ? U32 : operand;
    case ALU.AND:
      return RANGE.and(value, operand);
    case ALU.RSH:
      return shift === undefined ? U32 : RANGE.shiftRight(value, shift);
    case ALU.MOD:
      return signed ? U32 : truncate(RANGE.modulo(value, operand));
    case ALU.END:
      return instruction.imm < 64 ? range(0, 2 ** instruction.imm - 1) : UNKNOWN;
    default:
      return U32;
  }
}
