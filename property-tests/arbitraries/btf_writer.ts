/** Writes types as a `.BTF` section: the inverse of `parseBtf`, for tests. */

import type { BtfType } from "#core/btf/btf.ts";

const LINKAGE = ["static", "global", "extern"];

/** `types[0]` is void and is not written. */
export function writeBtf(types: readonly BtfType[]): Uint8Array {
  const strings = new StringWriter();
  const words = types.slice(1).flatMap((type) => typeWords(type, strings));
  const text = strings.bytes();
  const bytes = new Uint8Array(24 + 4 * words.length + text.length);
  const view = new DataView(bytes.buffer);
  const header = [0x0001eb9f, 24, 0, 4 * words.length, 4 * words.length, text.length];
  for (const [i, word] of [...header, ...words].entries()) view.setUint32(4 * i, word, true);
  bytes.set(text, 24 + 4 * words.length);
  return bytes;
}

class StringWriter {
  readonly #offsets = new Map<string, number>([["", 0]]);
  readonly #bytes: number[] = [0];

  offset(text: string): number {
    let offset = this.#offsets.get(text);
    if (offset === undefined) {
      offset = this.#bytes.length;
      this.#bytes.push(...new TextEncoder().encode(text), 0);
      this.#offsets.set(text, offset);
    }
    return offset;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

function typeWords(type: BtfType, strings: StringWriter): number[] {
  const head = (kind: number, word: number, count = 0, flag = false): number[] => [
    strings.offset(type.name),
    ((flag ? 0x80000000 : 0) | (kind << 24) | count) >>> 0,
    word,
  ];
  switch (type.kind) {
    case "void":
      throw new TypeError("void is implied");
    case "int": {
      const encoding = Number(type.signed) | (Number(type.char) << 1) | (Number(type.bool) << 2);
      return [...head(1, type.size), (encoding << 24) | (type.bitOffset << 16) | type.bits];
    }
    case "pointer":
      return head(2, type.typeId);
    case "array":
      return [...head(3, 0), type.elementTypeId, type.indexTypeId, type.length];
    case "struct":
    case "union":
      return structWords(type, strings, head);
    case "enum":
      return enumWords(type, strings, head);
    case "forward":
      return head(7, 0, 0, type.union);
    case "typedef":
      return head(8, type.typeId);
    case "volatile":
      return head(9, type.typeId);
    case "const":
      return head(10, type.typeId);
    case "restrict":
      return head(11, type.typeId);
    case "function":
      return head(12, type.typeId, LINKAGE.indexOf(type.linkage));
    case "prototype": {
      const words = type.parameters.flatMap((p) => [strings.offset(p.name), p.typeId]);
      return [...head(13, type.returnTypeId, type.parameters.length), ...words];
    }
    case "variable":
      return [...head(14, type.typeId), LINKAGE.indexOf(type.linkage)];
    case "section": {
      const words = type.variables.flatMap((v) => [v.typeId, v.offset, v.size]);
      return [...head(15, type.size, type.variables.length), ...words];
    }
    case "float":
      return head(16, type.size);
    case "decl_tag":
      return [...head(17, type.typeId), type.component];
    case "type_tag":
      return head(18, type.typeId);
  }
}

type Head = (kind: number, word: number, count: number, flag: boolean) => number[];

function structWords(
  type: Extract<BtfType, { kind: "struct" | "union" }>,
  strings: StringWriter,
  head: Head,
): number[] {
  const bitFields = type.members.some((member) => member.bitfieldSize_bits !== 0);
  const words = type.members.flatMap((member) => [
    strings.offset(member.name),
    member.typeId,
    ((member.bitfieldSize_bits << 24) | member.offset_bits) >>> 0,
  ]);
  const kind = type.kind === "struct" ? 4 : 5;
  return [...head(kind, type.size, type.members.length, bitFields), ...words];
}

function enumWords(
  type: Extract<BtfType, { kind: "enum" }>,
  strings: StringWriter,
  head: Head,
): number[] {
  const wide = type.size === 8;
  const words = type.enumerators.flatMap(({ name, value }) => {
    const low = Number(BigInt.asUintN(32, value));
    const high = Number(BigInt.asUintN(32, value >> 32n));
    return wide ? [strings.offset(name), low, high] : [strings.offset(name), low];
  });
  return [...head(wide ? 19 : 6, type.size, type.enumerators.length, type.signed), ...words];
}
