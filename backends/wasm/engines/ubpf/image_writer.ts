/**
 * Writes the instructions of an image: plain ones, jumps to slots of the original program, and
 * private calls, which leave all registers as they were but those they are to change.
 */
import { VerifierError } from "#core/errors.ts";
import {
  CALL_SOURCE,
  Code,
  type Instruction,
  OPCODE,
  SLOT_BYTES,
} from "#wasm/loader/instructions.ts";
import type { Site } from "./sites.ts";

/** `run.h`: the engine's bytes beside each frame. */
const SCRATCH_DISTANCE = 24576;
const SCRATCH_REGISTERS = 6;

export const OP = {
  MOV64_K: 0xb7,
  MOV64_X: 0xbf,
  MOV32_X: 0xbc,
  LSH64_K: 0x67,
  ARSH64_K: 0xc7,
  LSH32_K: 0x64,
  ARSH32_K: 0xc4,
  JNE_K: 0x55,
  JEQ_K: 0x15,
  LDXDW: 0x79,
  STXDW: 0x7b,
} as const;

/** A register, or an immediate. */
export type Operand = { readonly register: number } | { readonly imm: number };

export interface PrivateCall {
  readonly site: Site;
  /** What to put into r1 to r5 first; the order does not matter. */
  readonly moves: readonly (readonly [to: number, from: Operand])[];
  /** Register that takes the result; without one, r0 stays as it was too. */
  readonly result?: number;
  /** Registers, as a mask, that must survive. */
  readonly preserve: number;
}

interface Fixup {
  readonly at: number;
  readonly slot: number;
  readonly kind: "jump" | "call";
}

const scratchOffset = (register: number): number => -SCRATCH_DISTANCE - 8 * (register + 1);

export class ImageWriter {
  readonly #program: string;
  readonly #instructions: Instruction[] = [];
  /** Slot of the original program, by lowered index. */
  readonly #slotOf: number[] = [];
  readonly #siteSlots: number[] = [];
  readonly #sites: Site[] = [];
  readonly #labels = new Map<number, number>();
  readonly #entries = new Map<number, number>();
  readonly #fixups: Fixup[] = [];
  /** Slot that the next instructions stand for. */
  slot = 0;

  constructor(program: string) {
    this.#program = program;
  }

  get length(): number {
    return this.#instructions.length;
  }

  /** Jumps to the current slot land here. */
  label(): void {
    this.#labels.set(this.slot, this.length);
  }

  /** Calls of the function that starts at the current slot land here. */
  entry(): void {
    this.#entries.set(this.slot, this.length);
  }

  emit(opcode: number, dst: number, src = 0, offset = 0, imm = 0): void {
    this.#instructions.push({ opcode, dst, src, offset, imm });
    this.#slotOf.push(this.slot);
  }

  copy({ opcode, dst, src, offset, imm }: Instruction): void {
    this.emit(opcode, dst, src, offset, imm);
  }

  loadImmediate64(dst: number, low: number, high: number): void {
    this.emit(OPCODE.LDDW, dst, 0, 0, low);
    this.emit(0, 0, 0, 0, high);
  }

  /** A jump whose offset is filled in when its target is known. */
  jump(instruction: Instruction, slot: number): void {
    this.#fixups.push({ at: this.length, slot, kind: "jump" });
    this.copy({ ...instruction, offset: 0 });
  }

  callFunction(slot: number): void {
    this.#fixups.push({ at: this.length, slot, kind: "call" });
    this.emit(OPCODE.CALL, 0, CALL_SOURCE.LOCAL);
  }

  callSite(site: Site): void {
    this.emit(OPCODE.CALL, 0, CALL_SOURCE.HELPER, 0, this.addSite(site));
  }

  addSite(site: Site): number {
    this.#sites.push(site);
    this.#siteSlots.push(this.slot);
    return this.#sites.length - 1;
  }

  privateCall({ site, moves, result, preserve }: PrivateCall): void {
    const needed = moves.filter(([to, from]) => !("register" in from && from.register === to));
    let clobbered = 1;
    for (const [to] of needed) clobbered |= 1 << to;
    const restored = clobbered & preserve & ~(result === undefined ? 0 : 1 << result);
    let saved = restored;
    for (const [, from] of needed) {
      // A source that another move overwrites is read from where it was saved.
      if ("register" in from) saved |= (1 << from.register) & clobbered & ~1;
    }
    for (let register = 0; register < SCRATCH_REGISTERS; register++) {
      if ((saved >>> register) & 1) this.emit(OP.STXDW, 10, register, scratchOffset(register));
    }
    for (const [to, from] of needed) this.#move(to, from, clobbered & ~1);
    this.callSite(site);
    if (result !== undefined && result !== 0) this.emit(OP.MOV64_X, result, 0);
    for (let register = 0; register < SCRATCH_REGISTERS; register++) {
      if ((restored >>> register) & 1) this.emit(OP.LDXDW, register, 10, scratchOffset(register));
    }
  }

  #move(to: number, from: Operand, overwritten: number): void {
    if ("imm" in from) this.emit(OP.MOV64_K, to, 0, 0, from.imm);
    else if ((overwritten >>> from.register) & 1) {
      this.emit(OP.LDXDW, to, 10, scratchOffset(from.register));
    } else this.emit(OP.MOV64_X, to, from.register);
  }

  finish(): FinishedImage {
    for (const { at, slot, kind } of this.#fixups) {
      const target = (kind === "jump" ? this.#labels : this.#entries).get(slot)!;
      const distance = target - at - 1;
      const instruction = this.#instructions[at]!;
      if (kind === "call") this.#instructions[at] = { ...instruction, imm: distance };
      else if (distance === (distance << 16) >> 16) {
        this.#instructions[at] = { ...instruction, offset: distance };
      } else throw this.#tooLarge(`a jump over ${Math.abs(distance)} instructions`);
    }
    if (this.length >= 65535) throw this.#tooLarge(`${this.length} instructions`);
    const code = new Code(new Uint8Array(this.length * SLOT_BYTES));
    this.#instructions.forEach((instruction, index) => {
      code.set(index, instruction);
    });
    return {
      code: code.bytes,
      sites: this.#sites,
      slotOf: Uint32Array.from(this.#slotOf),
      siteSlots: Uint32Array.from(this.#siteSlots),
    };
  }

  #tooLarge(what: string): VerifierError {
    const problem = `${what} do not fit uBPF, which counts them in 16 bits`;
    return new VerifierError(this.#program, problem, problem, { hint: "use the aot engine" });
  }
}

export interface FinishedImage {
  readonly code: Uint8Array;
  readonly sites: readonly Site[];
  /** Slot of the original program, by index of the lowered instruction and by site. */
  readonly slotOf: Uint32Array;
  readonly siteSlots: Uint32Array;
}
