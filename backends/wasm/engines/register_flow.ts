/**
 * What is known before each instruction of a function, along all paths to it. Conservative: what comes
 * from memory that others may write, or out of a loop, may be anything.
 */
import { CALL_SOURCE, CLASS, type Instruction, OPCODE } from "#wasm/loader/instructions.ts";
import { FlowState } from "./flow_state.ts";
import type { FunctionCode, ProgramCode } from "./function_code.ts";
import { type CalleeWrites, mayRelease, writtenBy } from "./memory_effects.ts";
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
  isConstant,
  object,
  POINTER,
  staticObject,
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
      readonly hash: HashPlace | undefined;
      /** Where a ring's positions lie: the reader's, then the producers'; 0 for other maps. */
      readonly ringPositions: number;
    }
  | {
      readonly kind: "map_value";
      readonly address: number;
      readonly writable: boolean;
      /** Where it lies in the value that the program keeps, and how large that is; 0 where it keeps none. */
      readonly offset: number;
      readonly valueBytes: number;
    }
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

/** Where the elements of a hash lie that programs look up by keys of 4 or 8 bytes. */
export interface HashPlace {
  /** Of the pointers to the first element of each bucket. */
  readonly buckets: number;
  /** Their number, a power of two, less one. */
  readonly bucketMask: number;
  readonly keyBytes: number;
  /** From an element's start. */
  readonly valueOffset: number;
  /** Of the byte that says that an entry was used; 0 in tables that evict none. */
  readonly referencedOffset: number;
}

/** By number of the register. */
export type Registers = readonly ValueRange[];

/** The state is valid during the visit. */
export type Visit = (instruction: Instruction, slot: number, state: FlowState) => void;

/** Helpers that return a pointer to a map's value, or NULL. */
const MAP_VALUE_HELPERS: ReadonlySet<number> = new Set([1, 195]);
/** Returns a record that the program may write until it gives it back, or NULL. */
const RINGBUF_RESERVE = 131;

export class RegisterFlow {
  readonly #code: ProgramCode;
  readonly #named: ReadonlyMap<number, Named>;
  readonly #callee: CalleeWrites;
  readonly #isRecord = (origin: number): boolean =>
    this.#code.instructions[origin]?.imm === RINGBUF_RESERVE;

  constructor(code: ProgramCode, named: ReadonlyMap<number, Named>, callee: CalleeWrites) {
    this.#code = code;
    this.#named = named;
    this.#callee = callee;
  }

  /** Visits every instruction that may run, in order of slots. */
  walk(one: FunctionCode, entry: boolean, visit: Visit): void {
    /** Where blocks start, by slot from the function's start. */
    const known: FlowState[] = new Array(one.end - one.start);
    known[0] = FlowState.atStart(entry);
    if (one.loops) while (!this.#pass(one, known, undefined));
    this.#pass(one, known, visit);
  }

  /** One walk over the function; false when a jump backwards brought news to its target. */
  #pass(one: FunctionCode, known: FlowState[], visit: Visit | undefined): boolean {
    const { instructions, leaders } = this.#code;
    let settled = true;
    let state: FlowState | undefined = known[0]!.copy();
    for (let slot = one.start; slot < one.end; slot++) {
      const instruction = instructions[slot];
      if (instruction === undefined) continue;
      if (leaders[slot] === 1) {
        if (state !== undefined) merge(known, slot - one.start, state, false);
        state = known[slot - one.start]?.copy();
      }
      if (state === undefined) continue;
      visit?.(instruction, slot, state);
      this.#step(instruction, slot, state);
      const distance = jumpDistance(instruction);
      if (distance === undefined) {
        if (instruction.opcode === OPCODE.EXIT) state = undefined;
        continue;
      }
      const news = !merge(known, slot + 1 + distance - one.start, state, distance < 0);
      if (news && distance < 0) settled = false;
      if (endsBlock(instruction)) state = undefined;
    }
    return settled;
  }

  /** What the instruction does to the state. */
  #step(instruction: Instruction, slot: number, state: FlowState): void {
    const { registers } = state;
    const { dst, imm } = instruction;
    switch (instructionClass(instruction)) {
      case CLASS.LD:
        registers[dst] = this.#immediate(slot, imm);
        break;
      case CLASS.LDX:
        load(instruction, state);
        break;
      case CLASS.ST:
      case CLASS.STX:
        this.#store(instruction, slot, state);
        break;
      case CLASS.ALU:
        registers[dst] = arithmetic32(instruction, registers);
        break;
      case CLASS.ALU64:
        registers[dst] = arithmetic64(instruction, registers);
        break;
      case CLASS.JMP:
        if (operation(instruction) === JUMP.CALL) this.#call(instruction, slot, state);
    }
  }

  #store(instruction: Instruction, slot: number, state: FlowState): void {
    const { dst, src, offset, imm } = instruction;
    const { registers } = state;
    const size = accessSize(instruction);
    const atomic = mode(instruction) === MODE.ATOMIC;
    if (atomic && imm === ATOMIC.LOAD_ACQUIRE) {
      state.use(registers[src]!, offset, size);
      registers[dst] = loaded(size, false);
      return;
    }
    const value = registers[src]!;
    const word = size === 8 && !atomic && instructionClass(instruction) === CLASS.STX;
    this.#written(instruction, slot, state);
    const base = registers[dst]!;
    if (word && base.base === "frame") state.store(base.offset + offset, value);
    state.use(base, offset, size);
    if (!atomic) return;
    if (imm === ATOMIC.CMPXCHG) registers[0] = loaded(size, false);
    else if ((imm & ATOMIC.FETCH) !== 0) registers[src] = loaded(size, false);
  }

  #call(instruction: Instruction, slot: number, state: FlowState): void {
    this.#written(instruction, slot, state);
    if (mayRelease(instruction, slot, this.#callee)) state.giveBack(this.#isRecord);
    const returned = this.#returned(instruction, slot, state.registers);
    state.scratch();
    state.registers[0] = UNKNOWN;
    state.renew(slot);
    state.registers[0] = returned;
  }

  #written(instruction: Instruction, slot: number, state: FlowState): void {
    const written = writtenBy(instruction, slot, state, this.#callee);
    if (written === "anywhere") state.overwriteAll();
    else if (written !== "objects") state.overwrite(written.offset, written.size);
  }

  #immediate(slot: number, imm: number): ValueRange {
    const named = this.#named.get(slot);
    switch (named?.kind) {
      case "map":
        return { ...POINTER, map: slot };
      case "map_value": {
        const { address, writable, offset, valueBytes } = named;
        return staticObject(address, { offset, extent: valueBytes, writable });
      }
      case "function":
        return POINTER;
      default: {
        const high = this.#code.highImmediate(slot);
        return constant(high * 2 ** 32 + (imm >>> 0));
      }
    }
  }

  #returned({ opcode, src, imm }: Instruction, slot: number, registers: Registers): ValueRange {
    if (opcode !== OPCODE.CALL || src !== CALL_SOURCE.HELPER) return UNKNOWN;
    const map = this.#named.get(registers[1]!.map);
    if (imm === RINGBUF_RESERVE) {
      // A ring that the program does not name may go while it holds a record: an inner map.
      return map?.kind === "map" ? object(recordBytes(registers[2]!), slot) : POINTER;
    }
    if (!MAP_VALUE_HELPERS.has(imm)) return UNKNOWN;
    return map?.kind === "map" && map.writable ? object(map.valueBytes, slot) : POINTER;
  }
}

function load(instruction: Instruction, state: FlowState): void {
  const { dst, src, offset } = instruction;
  const { registers } = state;
  const base = registers[src]!;
  const size = accessSize(instruction);
  state.use(base, offset, size);
  const stored =
    size === 8 && base.base === "frame" ? state.stored(base.offset + offset) : undefined;
  registers[dst] = stored ?? loaded(size, mode(instruction) === MODE.MEMSX);
}

/** Of a record of `size` bytes; 0 where that is not known. */
function recordBytes(size: ValueRange): number {
  return isConstant(size) && size.low > 0 && size.low < 2 ** 32 ? size.low : 0;
}

/** Joins the state into what is known at `at`. Returns false where that told something new. */
function merge(known: FlowState[], at: number, state: FlowState, widen: boolean): boolean {
  const before = known[at];
  if (before !== undefined) return before.merge(state, widen);
  known[at] = state.copy();
  return false;
}
