/** Applies relocations to one function's code, wherever it will be placed. */

import type { Btf } from "#core/btf/btf.ts";
import { ERRNO } from "#core/errors.ts";
import { CoreRelocator } from "./core_relocator.ts";
import { CALL_SOURCE, Code, LDDW_SOURCE, OPCODE, SLOT_BYTES } from "./instructions.ts";
import { POISON_HELPER, type PoisonedInstruction } from "./linked_program.ts";
import type {
  CodeRelocation,
  CodeSection,
  ExternSpec,
  FunctionSpec,
  ObjectSpec,
} from "./object_spec.ts";
import { openError } from "./open_error.ts";
import { own } from "./own.ts";

export interface RelocateOptions {
  readonly targetBtf?: Btf;
  readonly kernelFunctions?: Readonly<Record<string, number>>;
  readonly kernelSymbols?: Readonly<Record<string, bigint>>;
}

/** Slots count from the function's start. */
export interface RelocatedFunction {
  readonly bytes: Uint8Array;
  readonly references: readonly DataReference[];
  /** Functions that it calls or whose address it takes, by slot. */
  readonly functions: readonly FunctionReference[];
  readonly poisoned: readonly PoisonedInstruction[];
}

export type DataReference =
  | { readonly kind: "map"; readonly slot: number; readonly map: string }
  | {
      readonly kind: "map_value";
      readonly slot: number;
      readonly map: string;
      readonly offset: number;
    };

export interface FunctionReference {
  readonly slot: number;
  /** Key of the function (`FunctionRelocator.key`). */
  readonly target: string;
  /** A call; otherwise the instruction loads the function's address. */
  readonly call: boolean;
}

export class FunctionRelocator {
  readonly #spec: ObjectSpec;
  readonly #options: RelocateOptions;
  readonly #core: CoreRelocator;
  readonly #functions = new Map<string, FunctionSpec>();
  readonly #relocated = new Map<string, RelocatedFunction>();

  constructor(spec: ObjectSpec, options: RelocateOptions) {
    this.#spec = spec;
    this.#options = options;
    this.#core = new CoreRelocator(spec, options.targetBtf);
    for (const found of spec.functions) {
      const key = this.key(found.sectionIndex, found.start);
      if (!this.#functions.has(key)) this.#functions.set(key, found);
    }
  }

  /** Names the function that starts at a slot of a section; aliases have the same key. */
  key(sectionIndex: number, start: number): string {
    return `${sectionIndex}:${start}`;
  }

  /** The function with a key that `relocate` gave. */
  function(key: string): FunctionSpec {
    return this.#functions.get(key)!;
  }

  /** Each function is relocated once, however many programs reach it. */
  relocate(found: FunctionSpec): RelocatedFunction {
    const key = this.key(found.sectionIndex, found.start);
    let relocated = this.#relocated.get(key);
    if (relocated === undefined) {
      relocated = new Relocation(this, this.#core, this.#spec, this.#options, found).apply();
      this.#relocated.set(key, relocated);
    }
    return relocated;
  }

  has(key: string): boolean {
    return this.#functions.has(key);
  }
}

class Relocation {
  readonly #relocator: FunctionRelocator;
  readonly #core: CoreRelocator;
  readonly #spec: ObjectSpec;
  readonly #options: RelocateOptions;
  readonly #function: FunctionSpec;
  readonly #section: CodeSection;
  readonly #code: Code;
  readonly #references: DataReference[] = [];
  readonly #functions: FunctionReference[] = [];
  readonly #poisoned: PoisonedInstruction[] = [];

  constructor(
    relocator: FunctionRelocator,
    core: CoreRelocator,
    spec: ObjectSpec,
    options: RelocateOptions,
    found: FunctionSpec,
  ) {
    this.#relocator = relocator;
    this.#core = core;
    this.#spec = spec;
    this.#options = options;
    this.#function = found;
    this.#section = spec.code.get(found.sectionIndex)!;
    const first = found.start * SLOT_BYTES;
    const end = first + found.length * SLOT_BYTES;
    this.#code = new Code(this.#section.bytes.slice(first, end));
  }

  apply(): RelocatedFunction {
    const code = this.#code;
    this.#poisoned.push(...this.#core.apply(this.#function, code));
    for (let slot = 0; slot < code.slots; slot++) {
      const relocation = this.#section.relocations.get(this.#function.start + slot);
      if (relocation !== undefined) this.#relocate(slot, relocation);
      else if (code.opcode(slot) === OPCODE.CALL && code.source(slot) === CALL_SOURCE.LOCAL) {
        this.#localCall(slot);
      }
      // The second half is no instruction.
      if (code.isLddw(slot)) slot++;
    }
    this.#poisoned.sort((a, b) => a.slot - b.slot);
    return {
      bytes: code.bytes,
      references: this.#references,
      functions: this.#functions,
      poisoned: this.#poisoned,
    };
  }

  #relocate(slot: number, relocation: CodeRelocation): void {
    const lddw = this.#code.isLddw(slot);
    if (!lddw && this.#code.opcode(slot) !== OPCODE.CALL) {
      this.#fail(slot, "is cut off by the function's end");
    }
    switch (relocation.kind) {
      case "map":
        this.#load(slot, LDDW_SOURCE.MAP, 0n);
        this.#references.push({ kind: "map", slot, map: relocation.map });
        return;
      case "map_value":
        this.#loadMapValue(slot, relocation.map, relocation.offset);
        return;
      case "function": {
        const { sectionIndex, start } = relocation;
        const target = this.#relocator.key(sectionIndex, start);
        if (lddw) this.#load(slot, LDDW_SOURCE.FUNCTION, 0n);
        this.#functions.push({ slot, target, call: !lddw });
        return;
      }
      case "extern":
        if (lddw) this.#loadExtern(slot, relocation.extern);
        else this.#callExtern(slot, relocation.extern);
    }
  }

  /** A static function of the same section is called without a relocation. */
  #localCall(slot: number): void {
    const { sectionIndex, start } = this.#function;
    const callee = start + slot + 1 + this.#code.imm(slot);
    const target = this.#relocator.key(sectionIndex, callee);
    if (!this.#relocator.has(target)) {
      this.#fail(slot, `calls slot ${callee} of its section, where no function starts`);
    }
    this.#functions.push({ slot, target, call: true });
  }

  #loadMapValue(slot: number, map: string, offset: number): void {
    this.#load(slot, LDDW_SOURCE.MAP_VALUE, 0n);
    this.#references.push({ kind: "map_value", slot, map, offset });
  }

  #loadExtern(slot: number, extern: ExternSpec): void {
    if (extern.kind === "kconfig") {
      this.#loadMapValue(slot, ".kconfig", extern.offset);
      return;
    }
    const { kernelFunctions, kernelSymbols } = this.#options;
    const number = own(kernelFunctions, extern.name);
    const known = number === undefined ? undefined : BigInt(number);
    const address = own(kernelSymbols, extern.name) ?? known;
    if (address === undefined && !extern.weak) this.#missing(extern);
    this.#load(slot, 0, address ?? 0n);
  }

  #callExtern(slot: number, extern: ExternSpec): void {
    const number = own(this.#options.kernelFunctions, extern.name);
    const { opcode } = this.#code.at(slot);
    const source = CALL_SOURCE.KERNEL_FUNCTION;
    if (number !== undefined) {
      this.#code.set(slot, { opcode, dst: 0, src: source, offset: 0, imm: number });
      return;
    }
    if (!extern.weak) this.#missing(extern);
    this.#code.set(slot, { opcode, dst: 0, src: 0, offset: 0, imm: POISON_HELPER });
    const reason = `kernel function ${extern.name} does not exist here`;
    this.#poisoned.push({ slot, reason });
  }

  #missing(extern: ExternSpec): never {
    const what = extern.kind === "function" ? "function" : "symbol";
    throw openError(this.#spec.name, `kernel ${what} "${extern.name}" does not exist here`, {
      errno: ERRNO.ENOENT,
      hint: "declare it __weak and test for it with bpf_ksym_exists()",
    });
  }

  #load(slot: number, source: number, immediate: bigint): void {
    this.#code.setSource(slot, source);
    this.#code.setImm(slot, Number(BigInt.asIntN(32, immediate)));
    this.#code.setImm(slot + 1, Number(BigInt.asIntN(32, immediate >> 32n)));
  }

  #fail(slot: number, problem: string): never {
    const { name } = this.#function;
    throw openError(this.#spec.name, `function "${name}", instruction ${slot} ${problem}`);
  }
}
