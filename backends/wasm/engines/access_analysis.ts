/**
 * Which memory accesses surely have an address below 4 GiB, go to writable memory and are aligned:
 * those need no check beyond "does this memory belong to the program"; and what is known of the
 * arguments of helpers. Conservative: an access whose base comes from memory or from an unbounded
 * index is never sure.
 */
import { CALL_SOURCE, CLASS, type Instruction, OPCODE } from "#wasm/loader/instructions.ts";
import { type FlowState, FRAME_BYTES } from "./flow_state.ts";
import { type FunctionCode, type ProgramCode, refuse } from "./function_code.ts";
import { mayRelease, writtenBy } from "./memory_effects.ts";
import { ATOMIC, accessSize, instructionClass, MODE, mode } from "./opcodes.ts";
import { type Named, RegisterFlow, type Registers } from "./register_flow.ts";
import { inObject } from "./value_range.ts";

/** Slots of accesses that need a check. */
export type UnsureAccesses = ReadonlySet<number>;

export interface AccessFindings {
  readonly unsure: UnsureAccesses;
  /** Slots of accesses to the function's own frame, aligned where they must be. */
  readonly ownFrame: ReadonlySet<number>;
  /**
   * Objects that accesses go to, by slot, from the register that holds the address: if one byte may be
   * written, all may.
   */
  readonly objects: ReadonlyMap<number, ObjectBounds>;
  /** Slots of accesses to objects that are there for sure, within them, and aligned where they must be. */
  readonly safe: ReadonlySet<number>;
  /** What is known of the registers where helpers are called, by slot. */
  readonly helperCalls: ReadonlyMap<number, Registers>;
  /** Bytes that programs may surely write where r1 points, by slot of the helper's call. */
  readonly buffers: ReadonlyMap<number, number>;
}

export interface ObjectBounds {
  readonly from: number;
  readonly to: number;
}

/** No program may touch the first MiB, so addresses may wrap that far. */
const SLACK = 2 ** 19;

/** Throws `VerifierError` for an access beyond the frame. */
export function analyseAccesses(
  code: ProgramCode,
  named: ReadonlyMap<number, Named>,
): AccessFindings {
  const analysis = new AccessAnalysis(code, named);
  for (const one of code.functions) analysis.visit(one);
  return analysis;
}

class AccessAnalysis implements AccessFindings {
  readonly unsure = new Set<number>();
  readonly ownFrame = new Set<number>();
  readonly objects = new Map<number, ObjectBounds>();
  readonly safe = new Set<number>();
  readonly helperCalls = new Map<number, Registers>();
  readonly buffers = new Map<number, number>();
  readonly #code: ProgramCode;
  readonly #flow: RegisterFlow;
  /** By start of the function; `anywhere` while it is not known, as in a recursion. */
  readonly #writes = new Map<number, "objects" | "anywhere">();
  readonly #callee = (target: number): "objects" | "anywhere" => {
    const one = this.#code.functions.find(({ start }) => start === target);
    if (one !== undefined) this.visit(one);
    return this.#writes.get(target) ?? "anywhere";
  };

  constructor(code: ProgramCode, named: ReadonlyMap<number, Named>) {
    this.#code = code;
    this.#flow = new RegisterFlow(code, named, this.#callee);
  }

  /** Once a function, callees first. */
  visit(one: FunctionCode): void {
    if (this.#writes.has(one.start)) return;
    this.#writes.set(one.start, "anywhere");
    let inside = true;
    this.#flow.walk(one, this.#hasContext(one), (instruction, slot, state) => {
      this.judge(instruction, slot, state);
      inside &&=
        writtenBy(instruction, slot, state, this.#callee) !== "anywhere" &&
        !mayRelease(instruction, slot, this.#callee);
    });
    if (inside) this.#writes.set(one.start, "objects");
  }

  /** Whether r1 is the context, as in an entry function that nobody else calls. */
  #hasContext(one: FunctionCode): boolean {
    return one === this.#code.functions[0] && !this.#code.called.has(one.start);
  }

  judge(instruction: Instruction, slot: number, state: FlowState): void {
    switch (instructionClass(instruction)) {
      case CLASS.LDX:
        this.#access(instruction, slot, state, true);
        break;
      case CLASS.ST:
      case CLASS.STX:
        this.#access(instruction, slot, state, false);
        break;
      case CLASS.JMP:
        if (instruction.opcode === OPCODE.CALL && instruction.src === CALL_SOURCE.HELPER) {
          this.helperCalls.set(slot, state.registers.slice());
          this.buffers.set(slot, bufferBytes(state));
        }
    }
  }

  #access(instruction: Instruction, slot: number, state: FlowState, loads: boolean): void {
    const atomic = !loads && mode(instruction) === MODE.ATOMIC;
    const reads = loads || (atomic && instruction.imm === ATOMIC.LOAD_ACQUIRE);
    const base = state.registers[reads ? instruction.src : instruction.dst]!;
    const size = accessSize(instruction);
    const at = base.offset + instruction.offset;
    if (base.base === "frame" && (at < -FRAME_BYTES || at + size > 0)) {
      throw refuse(this.#code.program, slot, `stack access at r10${at < 0 ? "" : "+"}${at}`);
    }
    const low = base.low + instruction.offset;
    const high = base.high + instruction.offset + size;
    const inside = inObject(base, instruction.offset, size);
    // What lies beside an object may be for reading only, as a value's key is.
    const writable =
      base.base === "frame" || (base.base === "object" && base.spread === 0 && inside);
    const aligned = !atomic || (writable && at % size === 0);
    const sure = low >= -SLACK && high <= 2 ** 32 + SLACK && (reads || writable) && aligned;
    if (!sure) this.unsure.add(slot);
    else if (base.base === "frame") this.ownFrame.add(slot);
    if (!inside) return;
    if ((reads || base.base === "object") && aligned && state.isThere(base)) this.safe.add(slot);
    if (base.spread === 0 && base.base === "object") {
      this.objects.set(slot, { from: -base.offset, to: base.extent - base.offset });
    }
  }
}

/** Of what r1 points into. */
function bufferBytes(state: FlowState): number {
  const buffer = state.registers[1]!;
  const { base, offset, spread, extent } = buffer;
  if (base === "frame") return offset >= -FRAME_BYTES ? -offset : 0;
  if (base !== "object" || offset < 0 || !state.isThere(buffer)) return 0;
  return Math.max(0, extent - offset - spread);
}
