/**
 * Which memory accesses surely have an address below 4 GiB, go to writable memory and are aligned:
 * those need no check beyond "does this memory belong to the program"; and what is known of the
 * arguments of helpers. Conservative: an access whose base comes from memory or from an unbounded
 * index is never sure.
 */
import { CALL_SOURCE, CLASS, type Instruction, OPCODE } from "#wasm/loader/instructions.ts";
import { type ProgramCode, refuse } from "./function_code.ts";
import { ATOMIC, accessSize, instructionClass, MODE, mode } from "./opcodes.ts";
import { type Named, RegisterFlow, type Registers } from "./register_flow.ts";

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
  /** What is known of the registers where helpers are called, by slot. */
  readonly helperCalls: ReadonlyMap<number, Registers>;
}

export interface ObjectBounds {
  readonly from: number;
  readonly to: number;
}

export const FRAME_BYTES = 512;
/** No program may touch the first MiB, so addresses may wrap that far. */
const SLACK = 2 ** 19;

/** Throws `VerifierError` for an access beyond the frame. */
export function analyseAccesses(
  code: ProgramCode,
  named: ReadonlyMap<number, Named>,
): AccessFindings {
  const analysis = new AccessAnalysis(code);
  const flow = new RegisterFlow(code, named);
  code.functions.forEach((one, index) => {
    flow.walk(one, index === 0, (instruction, slot, registers) => {
      analysis.judge(instruction, slot, registers);
    });
  });
  return analysis;
}

class AccessAnalysis implements AccessFindings {
  readonly unsure = new Set<number>();
  readonly ownFrame = new Set<number>();
  readonly objects = new Map<number, ObjectBounds>();
  readonly helperCalls = new Map<number, Registers>();
  readonly #code: ProgramCode;

  constructor(code: ProgramCode) {
    this.#code = code;
  }

  judge(instruction: Instruction, slot: number, registers: Registers): void {
    switch (instructionClass(instruction)) {
      case CLASS.LDX:
        this.#access(instruction, slot, registers, true);
        break;
      case CLASS.ST:
      case CLASS.STX:
        this.#access(instruction, slot, registers, false);
        break;
      case CLASS.JMP:
        if (instruction.opcode === OPCODE.CALL && instruction.src === CALL_SOURCE.HELPER) {
          this.helperCalls.set(slot, registers.slice());
        }
    }
  }

  #access(instruction: Instruction, slot: number, registers: Registers, loads: boolean): void {
    const atomic = !loads && mode(instruction) === MODE.ATOMIC;
    const reads = loads || (atomic && instruction.imm === ATOMIC.LOAD_ACQUIRE);
    const base = registers[reads ? instruction.src : instruction.dst]!;
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
    if (!sure) this.unsure.add(slot);
    else if (base.base === "frame") this.ownFrame.add(slot);
    if (base.extent > 0 && at >= 0 && at + size <= base.extent) {
      this.objects.set(slot, { from: -base.offset, to: base.extent - base.offset });
    }
  }
}
