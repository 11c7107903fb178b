/** Random type graphs: every kind, references that a parser must accept, sizes that may be nonsense. */

import fc from "fast-check";
import type { BtfKind, BtfType } from "#core/btf/btf.ts";

const u32 = fc.nat(0xffffffff);
const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("task", "pid", "x", "header", "__u32", "maps") },
  { weight: 1, arbitrary: fc.constantFrom("", "größe", "名前") },
  { weight: 1, arbitrary: fc.string({ minLength: 1 }).filter((text) => !text.includes("\0")) },
);
const linkage = fc.constantFrom("static", "global", "extern");
const KINDS = [
  "int",
  "float",
  "pointer",
  "array",
  "struct",
  "union",
  "enum",
  "forward",
  "typedef",
  "volatile",
  "const",
  "restrict",
  "type_tag",
  "decl_tag",
  "function",
  "prototype",
  "variable",
  "section",
] as const;
const NOT_DATA: readonly BtfKind[] = ["function", "variable", "section", "decl_tag"];

/** A type whose references are still raw numbers, to be mapped onto types that fit. */
const raw = fc.record({
  kind: fc.constantFrom(...KINDS),
  name,
  references: fc.array(u32, { minLength: 2, maxLength: 6 }),
  names: fc.array(name, { minLength: 6, maxLength: 6 }),
  numbers: fc.array(u32, { minLength: 6, maxLength: 6 }),
  values: fc.array(fc.bigInt(-(1n << 63n), (1n << 64n) - 1n), { maxLength: 6 }),
  size: fc.constantFrom(1, 2, 4, 8),
  flags: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  linkage,
});
type Raw = typeof raw extends fc.Arbitrary<infer T> ? T : never;

/** Types with void in front, in an order in which nothing contains a later type by value. */
export const typeGraph: fc.Arbitrary<BtfType[]> = fc
  .array(raw, { maxLength: 40, size: "max" })
  .map((raws) => [{ kind: "void", name: "" }, ...raws.map((each, i) => toType(each, i + 1, raws))]);

function toType(from: Raw, id: number, raws: readonly Raw[]): BtfType {
  const kindAt = (at: number): BtfKind => (at === 0 ? "void" : raws[at - 1]!.kind);
  /** The first fitting id at or below a raw number, else void. */
  const pick = (reference: number, below: number, fits: (kind: BtfKind) => boolean): number => {
    let at = reference % below;
    while (at > 0 && !fits(kindAt(at))) at--;
    return at;
  };
  const isData = (kind: BtfKind) => !NOT_DATA.includes(kind);
  const contained = (i: number) => pick(from.references[i]!, id, isData);
  const anyData = (i: number) => pick(from.references[i]!, raws.length + 1, isData);
  const count = from.references.length;
  const indices = [...Array(count).keys()];
  const { kind } = from;
  switch (kind) {
    case "int":
      return toInt(from);
    case "float":
      return { kind, name: from.name, size: [2, 4, 8, 12, 16][from.numbers[0]! % 5]! };
    case "pointer":
      return { kind, name: "", typeId: anyData(0) };
    case "array": {
      const length = from.numbers[0]!;
      return { kind, name: "", elementTypeId: contained(0), indexTypeId: anyData(1), length };
    }
    case "struct":
    case "union":
      return { kind, name: from.name, size: from.numbers[0]!, members: toMembers(from, contained) };
    case "enum":
      return toEnum(from);
    case "forward":
      return { kind, name: from.name, union: from.flags[0] };
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
    case "type_tag":
      return { kind, name: from.name, typeId: contained(0) };
    case "decl_tag":
      return {
        kind,
        name: from.name,
        typeId: from.references[0]! % (raws.length + 1),
        component: -1,
      };
    case "function": {
      const typeId = pick(from.references[0]!, raws.length + 1, (other) => other === "prototype");
      if (typeId === 0) return { kind: "forward", name: from.name, union: false };
      return { kind, name: from.name, typeId, linkage: from.linkage };
    }
    case "prototype": {
      const parameters = indices.map((i) => ({ name: from.names[i]!, typeId: anyData(i) }));
      return { kind, name: "", returnTypeId: anyData(0), parameters };
    }
    case "variable":
      return { kind, name: from.name, typeId: anyData(0), linkage: from.linkage };
    case "section": {
      const ids = indices.map((i) =>
        pick(from.references[i]!, raws.length + 1, (other) => other === "variable"),
      );
      const variables = ids
        .filter((typeId) => typeId !== 0)
        .map((typeId, i) => ({ typeId, offset: from.numbers[i]!, size: from.numbers[5 - i]! }));
      return { kind, name: from.name, size: from.numbers[0]!, variables };
    }
  }
}

function toInt(from: Raw): BtfType {
  const size = from.flags[0] && from.flags[1] ? 16 : from.size;
  const bits = from.flags[2] ? 8 * size : 1 + (from.numbers[0]! % (8 * size));
  const [signed, char, bool] = from.flags;
  const bitOffset = from.numbers[1]! % (8 * size - bits + 1);
  return { kind: "int", name: from.name, size, signed, char, bool, bits, bitOffset };
}

function toMembers(from: Raw, contained: (i: number) => number) {
  const bitFields = from.flags[0];
  const members = from.references.map((_, i) => ({
    name: from.names[i]!,
    typeId: contained(i),
    offset_bits: bitFields ? from.numbers[i]! % 0x1000000 : from.numbers[i]!,
    bitfieldSize_bits: bitFields ? from.numbers[5 - i]! % 256 : 0,
  }));
  // Without a bit field the format has the full 32 bits for an offset; both forms must be read.
  return members;
}

function toEnum(from: Raw): BtfType {
  const [signed] = from.flags;
  const width = from.size === 8 ? 64 : 32;
  const fit = signed ? BigInt.asIntN : BigInt.asUintN;
  return {
    kind: "enum",
    name: from.name,
    size: from.size,
    signed,
    enumerators: from.values.map((value, i) => ({
      name: from.names[i]!,
      value: fit.call(BigInt, width, value),
    })),
  };
}
