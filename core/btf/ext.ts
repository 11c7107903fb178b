/**
 * Parses `.BTF.ext`: which function and which source line each instruction belongs to, and the
 * CO-RE relocations. Its strings live in the string section of `.BTF`.
 */

import type { Btf } from "./btf.ts";
import { SectionReader } from "./reader.ts";
import { StringTable } from "./strings.ts";

/** A function starts at this instruction. */
export interface BtfFunctionInfo {
  /** ELF section of the program (`"tp/sched/sched_switch"`). */
  readonly section: string;
  /** Offset from the start of the ELF section, in bytes (8 per slot). */
  readonly instructionOffset: number;
  /** A type of kind "function". */
  readonly typeId: number;
}

/** Instructions from here up to the next entry come from this source line. */
export interface BtfLineInfo {
  readonly section: string;
  /** Offset from the start of the ELF section, in bytes. */
  readonly instructionOffset: number;
  readonly file: string;
  /** The source line as it was compiled; empty where the compiler could not read it. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** An instruction whose immediate or offset depends on the running kernel's types. */
export interface BtfCoreRelocation {
  readonly section: string;
  /** Offset from the start of the ELF section, in bytes. */
  readonly instructionOffset: number;
  /** Root type of the access. */
  readonly typeId: number;
  /** Access path: indices joined by colons (`"0:1:2"`), or an enumerator's index. */
  readonly access: string;
  /** Number of `enum bpf_core_relo_kind`. */
  readonly kind: number;
}

export interface BtfExt {
  readonly functions: readonly BtfFunctionInfo[];
  readonly lines: readonly BtfLineInfo[];
  readonly coreRelocations: readonly BtfCoreRelocation[];
}

/** Headers before CO-RE end after line info. */
const HEADER_BYTES = 24;
const HEADER_WITH_CORE_BYTES = 32;
const MAX_RECORD_BYTES = 4096;
const INSTRUCTION_BYTES = 8;

/**
 * Parses the bytes of a `.BTF.ext` section against the `.BTF` of the same object.
 *
 * Order within each list is that of the section. Throws `BpfError` on anything malformed.
 */
export function parseBtfExt(bytes: Uint8Array, btf: Btf): BtfExt {
  const reader = new SectionReader("parse BTF.ext", bytes);
  const headerLength = reader.headerLength(HEADER_BYTES);
  const parser = new ExtParser(reader, headerLength, btf);
  const functions: BtfFunctionInfo[] = [];
  const lines: BtfLineInfo[] = [];
  const coreRelocations: BtfCoreRelocation[] = [];
  parser.each("function info", 8, 8, (section, at) => functions.push(parser.function(section, at)));
  parser.each("line info", 16, 16, (section, at) => lines.push(parser.line(section, at)));
  if (headerLength >= HEADER_WITH_CORE_BYTES) {
    parser.each("CO-RE relocation", 24, 16, (section, at) =>
      coreRelocations.push(parser.coreRelocation(section, at)),
    );
  }
  return { functions, lines, coreRelocations };
}

class ExtParser {
  readonly #reader: SectionReader;
  readonly #headerLength: number;
  readonly #btf: Btf;
  readonly #strings: StringTable;

  constructor(reader: SectionReader, headerLength: number, btf: Btf) {
    this.#reader = reader;
    this.#headerLength = headerLength;
    this.#btf = btf;
    this.#strings = new StringTable(reader.operation, btf.strings);
  }

  /**
   * Calls `record` for each record of the subsection at header byte `field`: a record size, then
   * per ELF section its name, a count, and that many records of at least `minimum` bytes.
   */
  each(
    name: string,
    field: number,
    minimum: number,
    record: (section: string, at: number) => void,
  ): void {
    const reader = this.#reader;
    const { start, end } = reader.subsection(name, this.#headerLength, field);
    if (start === end) return;
    if (start % 4 !== 0) reader.fail(`${name} starts at byte ${start}, not a multiple of 4`);
    if (start + 4 > end) reader.fail(`${name} is cut off`);
    const recordBytes = reader.word(start);
    if (recordBytes < minimum || recordBytes > MAX_RECORD_BYTES || recordBytes % 4 !== 0) {
      reader.fail(`${name} has records of ${recordBytes} bytes`);
    }
    let at = start + 4;
    while (at < end) {
      if (at + 8 > end) reader.fail(`${name} is cut off`);
      const section = this.#strings.at(reader.word(at), `a section of ${name}`);
      const count = reader.word(at + 4);
      at += 8;
      if (at + count * recordBytes > end) {
        reader.fail(`${name} of section "${section}" has ${count} records, more than fit`);
      }
      for (let i = 0; i < count; i++, at += recordBytes) record(section, at);
    }
  }

  function(section: string, at: number): BtfFunctionInfo {
    const typeId = this.#typeId("function info", at);
    const { kind } = this.#btf.types[typeId]!;
    if (kind !== "function") this.#reader.fail(`function info names type ${typeId}, a ${kind}`);
    return { section, instructionOffset: this.#instructionOffset(at), typeId };
  }

  line(section: string, at: number): BtfLineInfo {
    const position = this.#reader.word(at + 12);
    return {
      section,
      instructionOffset: this.#instructionOffset(at),
      file: this.#strings.at(this.#reader.word(at + 4), "a line's file"),
      text: this.#strings.at(this.#reader.word(at + 8), "a line's text"),
      line: position >>> 10,
      column: position & 0x3ff,
    };
  }

  coreRelocation(section: string, at: number): BtfCoreRelocation {
    return {
      section,
      instructionOffset: this.#instructionOffset(at),
      typeId: this.#typeId("a CO-RE relocation", at),
      access: this.#strings.at(this.#reader.word(at + 8), "a CO-RE relocation"),
      kind: this.#reader.word(at + 12),
    };
  }

  #instructionOffset(at: number): number {
    const offset = this.#reader.word(at);
    if (offset % INSTRUCTION_BYTES !== 0) {
      this.#reader.fail(`instruction offset ${offset} is not a multiple of ${INSTRUCTION_BYTES}`);
    }
    return offset;
  }

  #typeId(owner: string, at: number): number {
    const typeId = this.#reader.word(at + 4);
    if (typeId >= this.#btf.types.length) {
      this.#reader.fail(`${owner} names type ${typeId}, the last is ${this.#btf.types.length - 1}`);
    }
    return typeId;
  }
}
