/**
 * Parses a `.BTF` section: all 19 kinds of Linux 6.18, little-endian.
 *
 * What this accepts is safe to walk: every id, name and length is in bounds, references point to
 * kinds that can stand there, and no type contains itself by value. Sizes of fields are checked
 * where they are used, by `layoutOf` and `sizeOf`.
 */

import type { Btf, BtfEnumerator, BtfMember, BtfParameter, BtfType, BtfVariable } from "./btf.ts";
import { SectionReader } from "./reader.ts";
import { StringTable } from "./strings.ts";
import { validateTypes } from "./validate.ts";

const HEADER_BYTES = 24;
/** Limits of the kernel (`BTF_MAX_TYPE`, `BTF_MAX_NAME_OFFSET`). */
const MAX_TYPES = 0xfffff;
const MAX_STRING_BYTES = 1 << 24;

/** `BTF_KIND_*` numbers. */
const KIND = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  forward: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  function: 12,
  prototype: 13,
  variable: 14,
  section: 15,
  float: 16,
  decl_tag: 17,
  type_tag: 18,
  enum64: 19,
} as const;

const HEAD_BYTES = 12;
/** Bytes after the head, by kind number: fixed, then per element counted in `vlen`. */
const FIXED_BYTES = [0, 4, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 4, 0, 0];
const ELEMENT_BYTES = [0, 0, 0, 0, 12, 12, 8, 0, 0, 0, 0, 0, 0, 8, 0, 12, 0, 0, 0, 12];
/** Of variables and functions; a function has it where others count their elements. */
const LINKAGE = ["static", "global", "extern"] as const;

const VOID: BtfType = { kind: "void", name: "" };

/**
 * Parses the bytes of a `.BTF` section (or of `/sys/kernel/btf/vmlinux`).
 *
 * The result copies nothing it need not: `strings` is a view of `bytes`, which must not change
 * afterwards. Throws `BpfError` on anything malformed, and on big-endian data.
 */
export function parseBtf(bytes: Uint8Array): Btf {
  const reader = new SectionReader("parse BTF", bytes);
  const headerLength = reader.headerLength(HEADER_BYTES);
  const types = reader.subsection("type", headerLength, 8);
  const strings = reader.subsection("string", headerLength, 16);
  if (types.start % 4 !== 0) reader.fail(`types start at byte ${types.start}, not a multiple of 4`);
  const stringBytes = bytes.subarray(strings.start, strings.end);
  checkStrings(reader, stringBytes);
  const parser = new TypeParser(reader, new StringTable("parse BTF", stringBytes));
  const parsed = parser.parse(types.start, types.end);
  validateTypes(parsed);
  return { littleEndian: true, types: parsed, strings: stringBytes };
}

function checkStrings(reader: SectionReader, strings: Uint8Array): void {
  if (strings.length === 0 || strings.length > MAX_STRING_BYTES) {
    reader.fail(`string section of ${strings.length} bytes is outside 1..${MAX_STRING_BYTES}`);
  }
  if (strings[0] !== 0) reader.fail("the string section does not start with an empty string");
  if (strings[strings.length - 1] !== 0) reader.fail("the last string has no terminating NUL");
}

class TypeParser {
  readonly #reader: SectionReader;
  readonly #strings: StringTable;
  #id = 0;

  constructor(reader: SectionReader, strings: StringTable) {
    this.#reader = reader;
    this.#strings = strings;
  }

  parse(start: number, end: number): BtfType[] {
    const types: BtfType[] = [VOID];
    let offset = start;
    while (offset < end) {
      this.#id = types.length;
      if (this.#id > MAX_TYPES) this.#reader.fail(`more than ${MAX_TYPES} types`);
      const next = this.#typeEnd(offset, end);
      types.push(this.#type(offset));
      offset = next;
    }
    return types;
  }

  /** Checks that the whole type lies before `end`, and returns where it stops. */
  #typeEnd(offset: number, end: number): number {
    if (offset + HEAD_BYTES > end) this.#fail("is cut off");
    const info = this.#reader.word(offset + 4);
    const kind = (info >>> 24) & 0x1f;
    if ((info & 0x60ff0000) !== 0) this.#fail(`has reserved bits set (0x${info.toString(16)})`);
    const fixed = FIXED_BYTES[kind];
    const element = ELEMENT_BYTES[kind];
    if (kind === 0 || fixed === undefined || element === undefined) {
      return this.#fail(`has unknown kind ${kind}`);
    }
    const next = offset + HEAD_BYTES + fixed + element * (info & 0xffff);
    if (next > end) this.#fail("is cut off");
    return next;
  }

  #type(offset: number): BtfType {
    const info = this.#reader.word(offset + 4);
    const kind = (info >>> 24) & 0x1f;
    const count = info & 0xffff;
    const flag = info >>> 31 === 1;
    const name = this.#name(offset);
    /** `size` or `type`, as the kind has it. */
    const value = this.#reader.word(offset + 8);
    const rest = offset + HEAD_BYTES;
    switch (kind) {
      case KIND.int:
        return this.#int(name, value, this.#reader.word(rest));
      case KIND.pointer:
        return { kind: "pointer", name: "", typeId: value };
      case KIND.array:
        return this.#array(rest);
      case KIND.struct:
        return { kind: "struct", name, size: value, members: this.#members(rest, count, flag) };
      case KIND.union:
        return { kind: "union", name, size: value, members: this.#members(rest, count, flag) };
      case KIND.enum:
      case KIND.enum64:
        return this.#enum(name, value, flag, rest, count, kind === KIND.enum64);
      case KIND.forward:
        return { kind: "forward", name, union: flag };
      case KIND.typedef:
        return { kind: "typedef", name, typeId: value };
      case KIND.volatile:
        return { kind: "volatile", name, typeId: value };
      case KIND.const:
        return { kind: "const", name, typeId: value };
      case KIND.restrict:
        return { kind: "restrict", name, typeId: value };
      case KIND.type_tag:
        return { kind: "type_tag", name, typeId: value };
      case KIND.decl_tag:
        return {
          kind: "decl_tag",
          name,
          typeId: value,
          component: this.#reader.signedWord(rest),
        };
      case KIND.function:
        return { kind: "function", name, typeId: value, linkage: this.#linkage(count) };
      case KIND.prototype:
        return {
          kind: "prototype",
          name: "",
          returnTypeId: value,
          parameters: this.#parameters(rest, count),
        };
      case KIND.variable: {
        const linkage = this.#linkage(this.#reader.word(rest));
        return { kind: "variable", name, typeId: value, linkage };
      }
      case KIND.section:
        return { kind: "section", name, size: value, variables: this.#variables(rest, count) };
      case KIND.float:
        return this.#float(name, value);
      default:
        return this.#fail(`has unknown kind ${kind}`);
    }
  }

  #int(name: string, size: number, data: number): BtfType {
    const encoding = (data >>> 24) & 0x0f;
    const bitOffset = (data >>> 16) & 0xff;
    const bits = data & 0xff;
    if (size < 1 || size > 16 || (size & (size - 1)) !== 0) {
      this.#fail(`("${name}") is an integer of ${size} bytes`);
    }
    if (bits === 0 || bits > 128 || bitOffset + bits > size * 8) {
      this.#fail(`("${name}") has bits ${bitOffset}..${bitOffset + bits} of ${size * 8}`);
    }
    return {
      kind: "int",
      name,
      size,
      signed: (encoding & 1) !== 0,
      char: (encoding & 2) !== 0,
      bool: (encoding & 4) !== 0,
      bits,
      bitOffset,
    };
  }

  #float(name: string, size: number): BtfType {
    if (size !== 2 && size !== 4 && size !== 8 && size !== 12 && size !== 16) {
      this.#fail(`("${name}") is a floating-point number of ${size} bytes`);
    }
    return { kind: "float", name, size };
  }

  #array(offset: number): BtfType {
    const reader = this.#reader;
    return {
      kind: "array",
      name: "",
      elementTypeId: reader.word(offset),
      indexTypeId: reader.word(offset + 4),
      length: reader.word(offset + 8),
    };
  }

  #members(offset: number, count: number, bitFields: boolean): BtfMember[] {
    const reader = this.#reader;
    const members: BtfMember[] = [];
    for (let at = offset, end = offset + 12 * count; at < end; at += 12) {
      const position = reader.word(at + 8);
      members.push({
        name: this.#name(at),
        typeId: reader.word(at + 4),
        offset_bits: bitFields ? position & 0xffffff : position,
        bitfieldSize_bits: bitFields ? position >>> 24 : 0,
      });
    }
    return members;
  }

  #enum(
    name: string,
    size: number,
    signed: boolean,
    offset: number,
    count: number,
    wide: boolean,
  ): BtfType {
    if (size !== 1 && size !== 2 && size !== 4 && size !== 8) {
      this.#fail(`("${name}") is an enum of ${size} bytes`);
    }
    const reader = this.#reader;
    const enumerators: BtfEnumerator[] = [];
    const stride = wide ? 12 : 8;
    for (let at = offset, end = offset + stride * count; at < end; at += stride) {
      const low = signed && !wide ? reader.signedWord(at + 4) : reader.word(at + 4);
      let value = BigInt(low);
      if (wide) {
        const high = signed ? reader.signedWord(at + 8) : reader.word(at + 8);
        value += BigInt(high) << 32n;
      }
      enumerators.push({ name: this.#name(at), value });
    }
    return { kind: "enum", name, size, signed, enumerators };
  }

  #parameters(offset: number, count: number): BtfParameter[] {
    const parameters: BtfParameter[] = [];
    for (let at = offset, end = offset + 8 * count; at < end; at += 8) {
      parameters.push({ name: this.#name(at), typeId: this.#reader.word(at + 4) });
    }
    return parameters;
  }

  #variables(offset: number, count: number): BtfVariable[] {
    const reader = this.#reader;
    const variables: BtfVariable[] = [];
    for (let at = offset, end = offset + 12 * count; at < end; at += 12) {
      variables.push({
        typeId: reader.word(at),
        offset: reader.word(at + 4),
        size: reader.word(at + 8),
      });
    }
    return variables;
  }

  #linkage(value: number): "static" | "global" | "extern" {
    return LINKAGE[value] ?? this.#fail(`has unknown linkage ${value}`);
  }

  /** The string that the word at `offset` names. */
  #name(offset: number): string {
    const position = this.#reader.word(offset);
    return position === 0 ? "" : this.#strings.at(position, this.#id);
  }

  #fail(problem: string): never {
    return this.#reader.fail(`type ${this.#id} ${problem}`);
  }
}
