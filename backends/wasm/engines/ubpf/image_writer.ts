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
const SCRATCH_DISTANCE = 28672;
const REGISTERS_1_TO_9 = 0b1111111110;

/** Where a register is saved, from r10. */
export const scratchOffset = (register: number): number => -SCRATCH_DISTANCE - 8 * (register + 1);

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

/** Where a saved register is: in another one, or beside the frame. */
type Home = { readonly register: number } | { readonly offset: number };

function registersIn(mask: number): number[] {
  return [0, 1, 2, 3, 4, 5].filter((register) => (mask >>> register) & 1);
}

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
    let overwritten = 0;
    let sources = 0;
    // An argument that is in its place already is a source as well: nothing may be saved there.
    for (const [, from] of moves) if ("register" in from) sources |= 1 << from.register;
    for (const [to] of needed) overwritten |= 1 << to;
    const kept = preserve & ~(result === undefined ? 0 : 1 << result);
    const restored = (overwritten | 1) & kept;
    // A source that another move overwrites is read from where it was saved.
    const saved = restored | (sources & overwritten);
    const homes = this.#save(saved, overwritten | sources | preserve | (1 << (result ?? 0)));
    for (const [to, from] of needed) {
      if ("imm" in from) this.emit(OP.MOV64_K, to, 0, 0, from.imm);
      else if ((overwritten >>> from.register) & 1) this.#fetch(to, homes[from.register]!);
      else this.emit(OP.MOV64_X, to, from.register);
    }
    this.callSite(site);
    if (result !== undefined && result !== 0) this.emit(OP.MOV64_X, result, 0);
    for (const register of registersIn(restored)) this.#fetch(register, homes[register]!);
  }

  /** Copies registers to others that nobody needs, else to scratch memory; says where they are. */
  #save(saved: number, used: number): Home[] {
    const homes: Home[] = [];
    let free = REGISTERS_1_TO_9 & ~used;
    for (const register of registersIn(saved)) {
      if (free === 0) {
        homes[register] = { offset: scratchOffset(register) };
        this.emit(OP.STXDW, 10, register, homes[register].offset);
        continue;
      }
      const home = 31 - Math.clz32(free);
      free &= ~(1 << home);
      homes[register] = { register: home };
      this.emit(OP.MOV64_X, home, register);
    }
    return homes;
  }

  #fetch(to: number, home: Home): void {
    if ("register" in home) this.emit(OP.MOV64_X, to, home.register);
    else this.emit(OP.LDXDW, to, 10, home.offset);
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
