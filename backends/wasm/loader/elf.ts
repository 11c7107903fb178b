/**
 * The ELF container of a BPF object: 64-bit, little-endian, relocatable, EM_BPF. Everything is
 * bounds-checked here, so that what this returns can be indexed without further checks of the file.
 */

import { ERRNO } from "#core/errors.ts";
import { LIMITS } from "./limits.ts";
import { openError } from "./open_error.ts";

export const SECTION_TYPE = {
  null: 0,
  progbits: 1,
  symtab: 2,
  strtab: 3,
  rela: 4,
  nobits: 8,
  rel: 9,
} as const;

export const SECTION_FLAG = { WRITE: 1, ALLOC: 2, EXECINSTR: 4, COMPRESSED: 0x800 } as const;

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** Size in memory, in bytes; `.bss` has one without having `data`. */
  readonly size: number;
  /** A view of the file; empty for sections that occupy none of it. */
  readonly data: Uint8Array;
  readonly link: number;
  readonly info: number;
}

export type SymbolBinding = "local" | "global" | "weak" | "other";
export type SymbolType = "none" | "object" | "function" | "section" | "file" | "other";

export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  readonly binding: SymbolBinding;
  readonly type: SymbolType;
  /** STV_HIDDEN or STV_INTERNAL. */
  readonly hidden: boolean;
  /** Index of the defining section; undefined for undefined, absolute and common symbols. */
  readonly section: number | undefined;
  /** `st_shndx` as it stands: 0 is undefined, from 0xff00 on reserved. */
  readonly sectionNumber: number;
  readonly value: number;
  readonly size: number;
}

export interface ElfRelocation {
  /** Byte offset in the section that is relocated. */
  readonly offset: number;
  /** `R_BPF_*`. */
  readonly type: number;
  /** Index into `ElfFile.symbols`. */
  readonly symbol: number;
}

export interface ElfFile {
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  /** Relocations by index of the section that they patch, ascending by offset. */
  readonly relocations: ReadonlyMap<number, readonly ElfRelocation[]>;
}

const HEADER_BYTES = 64;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const RELOCATION_BYTES = 16;
const CLASS_64 = 2;
const DATA_LITTLE = 1;
const DATA_BIG = 2;
const TYPE_RELOCATABLE = 1;
const MACHINE_BPF = 247;
const RESERVED_SECTIONS = 0xff00;

const BINDINGS: readonly SymbolBinding[] = ["local", "global", "weak"];
const TYPES: readonly SymbolType[] = ["none", "object", "function", "section", "file"];

/**
 * Parses an ELF file; `name` names the object in errors. Sections are views of `bytes`. Throws
 * `BpfError` with ENOEXEC for what is no BPF object, EINVAL for what is a damaged one.
 */
export function parseElf(bytes: Uint8Array, name: string): ElfFile {
  const reader = new ElfReader(bytes, name);
  const sections = reader.sections();
  const symbols = reader.symbols(sections);
  return { sections, symbols, relocations: reader.relocations(sections, symbols) };
}

class ElfReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #name: string;
  readonly #decoder = new TextDecoder();

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#name = name;
    this.#checkIdentification();
  }

  #fail(problem: string): never {
    throw openError(this.#name, problem, { hint: "rebuild the object" });
  }

  #reject(problem: string, hint: string): never {
    throw openError(this.#name, problem, { errno: ERRNO.ENOEXEC, hint });
  }

  #checkIdentification(): void {
    const bytes = this.#bytes;
    const clang = "compile with clang -target bpfel -g -c";
    if (bytes.length > LIMITS.object_bytes) {
      this.#fail(`object is larger than ${LIMITS.object_bytes} bytes`);
    }
    if (bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) {
      this.#reject("not an ELF object", clang);
    }
    if (bytes.length < HEADER_BYTES) {
      this.#reject(`object is truncated: ${bytes.length} of ${HEADER_BYTES} header bytes`, clang);
    }
    if (bytes[4] !== CLASS_64) this.#reject("object is not 64-bit ELF", clang);
    if (bytes[5] === DATA_BIG) {
      this.#reject("object is big-endian", "rebuild with clang -target bpfel");
    }
    if (bytes[5] !== DATA_LITTLE) this.#reject(`object has unknown byte order ${bytes[5]}`, clang);
    const machine = this.#view.getUint16(18, true);
    if (machine !== MACHINE_BPF) {
      this.#reject(`object is for ELF machine ${machine}, not BPF (${MACHINE_BPF})`, clang);
    }
    const type = this.#view.getUint16(16, true);
    if (type !== TYPE_RELOCATABLE) this.#reject(`ELF type ${type} is not relocatable`, clang);
  }

  sections(): ElfSection[] {
    const view = this.#view;
    const start = this.#u64(40, "section table offset");
    const entryBytes = view.getUint16(58, true);
    const count = view.getUint16(60, true);
    const nameSection = view.getUint16(62, true);
    if (count === 0) this.#fail("object has no sections");
    if (entryBytes !== SECTION_HEADER_BYTES) {
      this.#fail(`section headers are ${entryBytes} bytes long, not ${SECTION_HEADER_BYTES}`);
    }
    if (count > LIMITS.sections) {
      this.#fail(`object has ${count} sections, more than ${LIMITS.sections}`);
    }
    this.#range(start, count * SECTION_HEADER_BYTES, "section table");
    if (nameSection >= count) this.#fail(`section names are in section ${nameSection} of ${count}`);
    const names = this.#contents(start + nameSection * SECTION_HEADER_BYTES, nameSection);
    const sections: ElfSection[] = [];
    for (let index = 0; index < count; index++) {
      sections.push(this.#section(start + index * SECTION_HEADER_BYTES, index, names));
    }
    return sections;
  }

  #section(at: number, index: number, names: Uint8Array): ElfSection {
    const view = this.#view;
    return {
      index,
      name: this.#string(names, view.getUint32(at, true), `section ${index}`),
      type: view.getUint32(at + 4, true),
      // All flags that matter are in the low word.
      flags: view.getUint32(at + 8, true),
      size: this.#u64(at + 32, `size of section ${index}`),
      data: this.#contents(at, index),
      link: view.getUint32(at + 40, true),
      info: view.getUint32(at + 44, true),
    };
  }

  /** Bytes of the section whose header is at `at`. */
  #contents(at: number, index: number): Uint8Array {
    const type = this.#view.getUint32(at + 4, true);
    if (type === SECTION_TYPE.null || type === SECTION_TYPE.nobits) return new Uint8Array(0);
    const offset = this.#u64(at + 24, `offset of section ${index}`);
    const size = this.#u64(at + 32, `size of section ${index}`);
    this.#range(offset, size, `section ${index}`);
    return this.#bytes.subarray(offset, offset + size);
  }

  symbols(sections: readonly ElfSection[]): ElfSymbol[] {
    const tables = sections.filter((section) => section.type === SECTION_TYPE.symtab);
    const table = tables[0];
    if (table === undefined) this.#fail("object has no symbol table");
    if (tables.length > 1) this.#fail(`object has ${tables.length} symbol tables`);
    const strings = sections[table.link];
    if (strings?.type !== SECTION_TYPE.strtab) {
      this.#fail(`symbol names are in section ${table.link}, which is no string table`);
    }
    if (table.data.length % SYMBOL_BYTES !== 0) {
      this.#fail(`symbol table has ${table.data.length} bytes, no multiple of ${SYMBOL_BYTES}`);
    }
    const count = table.data.length / SYMBOL_BYTES;
    if (count > LIMITS.symbols) {
      this.#fail(`object has ${count} symbols, more than ${LIMITS.symbols}`);
    }
    const symbols: ElfSymbol[] = [];
    for (let index = 0; index < count; index++) {
      const at = table.data.byteOffset - this.#bytes.byteOffset + index * SYMBOL_BYTES;
      symbols.push(this.#symbol(at, index, strings.data, sections));
    }
    return symbols;
  }

  #symbol(
    at: number,
    index: number,
    strings: Uint8Array,
    sections: readonly ElfSection[],
  ): ElfSymbol {
    const view = this.#view;
    const info = view.getUint8(at + 4);
    const visibility = view.getUint8(at + 5) & 3;
    const type = TYPES[info & 0xf] ?? "other";
    const sectionNumber = view.getUint16(at + 6, true);
    const reserved = sectionNumber === 0 || sectionNumber >= RESERVED_SECTIONS;
    if (!reserved && sectionNumber >= sections.length) {
      this.#fail(`symbol ${index} is in section ${sectionNumber} of ${sections.length}`);
    }
    const own = this.#string(strings, view.getUint32(at, true), `symbol ${index}`);
    const name = type === "section" && own === "" ? (sections[sectionNumber]?.name ?? own) : own;
    return {
      index,
      name,
      binding: BINDINGS[info >>> 4] ?? "other",
      type,
      hidden: visibility === 1 || visibility === 2,
      section: reserved ? undefined : sectionNumber,
      sectionNumber,
      value: this.#u64(at + 8, `value of symbol ${index}`),
      size: this.#u64(at + 16, `size of symbol ${index}`),
    };
  }

  relocations(
    sections: readonly ElfSection[],
    symbols: readonly ElfSymbol[],
  ): Map<number, readonly ElfRelocation[]> {
    const result = new Map<number, readonly ElfRelocation[]>();
    for (const section of sections) {
      if (section.type === SECTION_TYPE.rela) {
        this.#fail(`section "${section.name}" has RELA relocations; BPF objects have REL`);
      }
      if (section.type !== SECTION_TYPE.rel) continue;
      const target = sections[section.info];
      if (target === undefined || section.info === 0) {
        this.#fail(`section "${section.name}" relocates section ${section.info}, which is none`);
      }
      if (sections[section.link]?.type !== SECTION_TYPE.symtab) {
        this.#fail(`section "${section.name}" refers to symbols in section ${section.link}`);
      }
      if (result.has(section.info)) {
        this.#fail(`section "${target.name}" is relocated by more than one section`);
      }
      result.set(section.info, this.#relocationsOf(section, target, symbols));
    }
    return result;
  }

  #relocationsOf(
    section: ElfSection,
    target: ElfSection,
    symbols: readonly ElfSymbol[],
  ): ElfRelocation[] {
    const { data } = section;
    if (data.length % RELOCATION_BYTES !== 0) {
      this.#fail(`section "${section.name}" has ${data.length} bytes, no multiple of 16`);
    }
    const count = data.length / RELOCATION_BYTES;
    if (count > LIMITS.relocationsPerSection) {
      this.#fail(`section "${section.name}" has ${count} relocations`);
    }
    const relocations: ElfRelocation[] = [];
    for (let i = 0; i < count; i++) {
      const at = data.byteOffset - this.#bytes.byteOffset + i * RELOCATION_BYTES;
      const offset = this.#u64(at, `offset of a relocation in "${section.name}"`);
      const type = this.#view.getUint32(at + 8, true);
      const symbol = this.#view.getUint32(at + 12, true);
      if (offset >= target.size) {
        this.#fail(`relocation ${i} of "${target.name}" is at byte ${offset} of ${target.size}`);
      }
      if (symbol >= symbols.length) {
        this.#fail(`relocation ${i} of "${target.name}" names symbol ${symbol}, which is none`);
      }
      relocations.push({ offset, type, symbol });
    }
    return relocations.sort((a, b) => a.offset - b.offset);
  }

  #range(offset: number, size: number, what: string): void {
    const end = offset + size;
    if (end > this.#bytes.length) {
      this.#fail(`object is truncated: ${what} ends at byte ${end} of ${this.#bytes.length}`);
    }
  }

  /** A 64-bit field that must be small enough to be exact as a number. */
  #u64(at: number, what: string): number {
    const value = this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
    if (value > Number.MAX_SAFE_INTEGER) this.#fail(`${what} is out of range`);
    return value;
  }

  #string(strings: Uint8Array, offset: number, owner: string): string {
    if (offset === 0 && strings.length === 0) return "";
    const name = strings.subarray(offset, offset + LIMITS.name_bytes + 1);
    const length = name.indexOf(0);
    if (length < 0 && name.length > LIMITS.name_bytes) {
      this.#fail(`name of ${owner} is longer than ${LIMITS.name_bytes} bytes`);
    }
    if (length < 0) {
      this.#fail(`name of ${owner} is at byte ${offset} of ${strings.length} bytes of names`);
    }
    return this.#decoder.decode(name.subarray(0, length));
  }
}
