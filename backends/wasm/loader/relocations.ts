/**
 * Relocations of code: what the immediate of a 64-bit load or of a call refers to. They are resolved
 * to names here, once for each object; `link.ts` turns names into numbers.
 */

import type { ElfFile, ElfRelocation, ElfSection, ElfSymbol } from "./elf.ts";
import { isCode } from "./functions.ts";
import type { DataMap } from "./global_data.ts";
import { CALL_SOURCE, Code, OPCODE, SLOT_BYTES } from "./instructions.ts";
import type { DefinedMap } from "./map_definitions.ts";
import type { CodeRelocation, CodeSection, ExternSpec, FunctionSpec } from "./object_spec.ts";
import { openError } from "./open_error.ts";

const R_BPF_64_64 = 1;
const R_BPF_64_32 = 10;

/** What relocations can refer to. */
export interface RelocationTargets {
  readonly functions: readonly FunctionSpec[];
  readonly defined: readonly DefinedMap[];
  readonly data: readonly DataMap[];
  readonly externs: readonly ExternSpec[];
}

/** Executable sections by index, with their relocations resolved. */
export function resolveRelocations(
  elf: ElfFile,
  targets: RelocationTargets,
  object: string,
): Map<number, CodeSection> {
  const resolver = new Resolver(elf, targets, object);
  const sections = new Map<number, CodeSection>();
  for (const section of elf.sections) {
    if (isCode(section)) sections.set(section.index, resolver.section(section));
  }
  return sections;
}

class Resolver {
  readonly #elf: ElfFile;
  readonly #object: string;
  readonly #functions: ReadonlySet<string>;
  readonly #maps: ReadonlyMap<string, string>;
  readonly #data: ReadonlyMap<number, DataMap>;
  readonly #externs: ReadonlyMap<string, ExternSpec>;

  constructor(elf: ElfFile, targets: RelocationTargets, object: string) {
    this.#elf = elf;
    this.#object = object;
    this.#functions = new Set(targets.functions.map((f) => place(f.sectionIndex, f.start)));
    this.#maps = new Map(
      targets.defined.map((d) => [place(d.sectionIndex, d.offset), d.map.spec.name] as const),
    );
    this.#data = new Map(targets.data.map((data) => [data.sectionIndex, data] as const));
    this.#externs = new Map(targets.externs.map((extern) => [extern.name, extern] as const));
  }

  section(section: ElfSection): CodeSection {
    if (section.size % SLOT_BYTES !== 0) {
      throw openError(this.#object, `section "${section.name}" is no whole instructions`);
    }
    const bytes = section.data.slice();
    const code = new Code(bytes);
    const relocations = new Map<number, CodeRelocation>();
    for (const relocation of this.#elf.relocations.get(section.index) ?? []) {
      const slot = relocation.offset / SLOT_BYTES;
      if (!Number.isInteger(slot)) {
        this.#fail(section, relocation, "is not at an instruction");
      }
      if (relocations.has(slot)) this.#fail(section, relocation, "is a second one there");
      relocations.set(slot, this.#resolve(section, relocation, code, slot));
    }
    return { name: section.name, bytes, relocations };
  }

  #resolve(
    section: ElfSection,
    relocation: ElfRelocation,
    code: Code,
    slot: number,
  ): CodeRelocation {
    const call = code.opcode(slot) === OPCODE.CALL;
    if (!call && !code.isLddw(slot)) {
      this.#fail(section, relocation, "is neither on a call nor on a 64-bit load");
    }
    if (relocation.type !== (call ? R_BPF_64_32 : R_BPF_64_64)) {
      this.#fail(section, relocation, `has type ${relocation.type}`);
    }
    const symbol = this.#elf.symbols[relocation.symbol]!;
    if (symbol.sectionNumber === 0) return this.#extern(section, relocation, symbol);
    if (symbol.section === undefined) {
      this.#fail(section, relocation, "has no section", "initialize the variable");
    }
    if (call) return this.#call(section, relocation, symbol, code, slot);
    return this.#load(section, relocation, symbol, code.imm(slot));
  }

  #extern(section: ElfSection, relocation: ElfRelocation, symbol: ElfSymbol): CodeRelocation {
    const extern = this.#externs.get(symbol.name);
    if (extern === undefined) this.#fail(section, relocation, "is not defined");
    return { kind: "extern", extern };
  }

  /**
   * A call of a global function names it and has immediate -1; a static function is named by its
   * section, and the immediate counts slots from there.
   */
  #call(
    section: ElfSection,
    relocation: ElfRelocation,
    symbol: ElfSymbol,
    code: Code,
    slot: number,
  ): CodeRelocation {
    if (code.source(slot) !== CALL_SOURCE.LOCAL) {
      this.#fail(section, relocation, "is on a call that is no call of a function");
    }
    const start = symbol.value / SLOT_BYTES + code.imm(slot) + 1;
    return this.#function(section, relocation, symbol, start);
  }

  #load(
    section: ElfSection,
    relocation: ElfRelocation,
    symbol: ElfSymbol,
    addend: number,
  ): CodeRelocation {
    const target = this.#elf.sections[symbol.section!]!;
    if (isCode(target)) {
      return this.#function(section, relocation, symbol, (symbol.value + addend) / SLOT_BYTES);
    }
    const data = this.#data.get(target.index);
    if (data !== undefined) {
      const offset = symbol.value + addend;
      const { name, valueSize } = data.map.spec;
      if (offset < 0 || offset >= valueSize) {
        this.#fail(section, relocation, `is at byte ${offset} of ${valueSize} of "${name}"`);
      }
      return { kind: "map_value", map: name, offset };
    }
    const map = this.#maps.get(place(target.index, symbol.value + addend));
    if (map === undefined) {
      this.#fail(section, relocation, `lies in section "${target.name}", which is no map or data`);
    }
    return { kind: "map", map };
  }

  #function(
    section: ElfSection,
    relocation: ElfRelocation,
    symbol: ElfSymbol,
    start: number,
  ): CodeRelocation {
    const sectionIndex = symbol.section!;
    if (!this.#functions.has(place(sectionIndex, start))) {
      const name = this.#elf.sections[sectionIndex]!.name;
      this.#fail(section, relocation, `leads to slot ${start} of "${name}", where no function is`);
    }
    return { kind: "function", sectionIndex, start };
  }

  #fail(
    section: ElfSection,
    { offset, symbol }: ElfRelocation,
    problem: string,
    hint?: string,
  ): never {
    const name = this.#elf.symbols[symbol]!.name;
    throw openError(
      this.#object,
      `relocation against "${name}" at byte ${offset} of section "${section.name}" ${problem}`,
      hint === undefined ? {} : { hint },
    );
  }
}

function place(sectionIndex: number, position: number): string {
  return `${sectionIndex}:${position}`;
}
