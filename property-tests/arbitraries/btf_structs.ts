/**
 * Random structs with a place for every member, as BTF and as a tree that tests can walk without
 * reading that BTF. Places are freer than C's: bit fields may start and end at any bit.
 */

import fc from "fast-check";
import type { BtfMember, BtfType } from "#core/btf/btf.ts";

interface Scalar {
  readonly kind: "int" | "enum" | "float" | "pointer";
  readonly size: number;
  readonly signed: boolean;
  /** C's char: arrays of it are text. */
  readonly char: boolean;
}

interface ShapeMember {
  readonly shape: Shape;
  /** Raw, 0..127: a bit field from 64 up, where the type can be one. */
  readonly width: number;
  /** Space before the member: bits for a bit field, else bytes. */
  readonly gap: number;
  readonly anonymous: boolean;
}

type Shape =
  | Scalar
  | { readonly kind: "array"; readonly element: Shape; readonly length: number }
  | { readonly kind: "struct" | "union"; readonly members: readonly ShapeMember[] };

export interface PlacedMember {
  /** Empty for an anonymous struct or union. */
  readonly name: string;
  readonly offset_bits: number;
  /** 0 for an ordinary member. */
  readonly width_bits: number;
  readonly type: Placed;
}

export type Placed =
  | (Scalar & { readonly id: number })
  | { readonly kind: "array"; id: number; size: number; element: Placed; length: number }
  | {
      readonly kind: "struct" | "union";
      id: number;
      size: number;
      members: readonly PlacedMember[];
    };

export interface StructCase {
  readonly types: BtfType[];
  readonly root: Placed;
}

const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(1, 2, 4, 8).chain((size) => scalarOf("int", size)) },
  fc.constantFrom(1, 4, 8).chain((size) => scalarOf("enum", size)),
  scalarOf("int", 16),
  fc
    .constantFrom(4, 8)
    .map((size) => ({ kind: "float" as const, size, signed: false, char: false })),
  fc.constant({ kind: "pointer", size: 8, signed: false, char: false } as const),
  fc.constant({ kind: "int", size: 1, signed: true, char: true } as const),
);

function scalarOf(kind: "int" | "enum", size: number): fc.Arbitrary<Scalar> {
  return fc.boolean().map((signed) => ({ kind, size, signed, char: false }));
}

const { struct } = fc.letrec<{ shape: Shape; struct: Shape }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    { weight: 6, arbitrary: scalar },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("array" as const),
        element: tie("shape"),
        length: fc.nat(4),
      }),
    },
    { weight: 2, arbitrary: tie("struct") },
  ),
  struct: fc.record({
    kind: fc.constantFrom("struct" as const, "struct" as const, "union" as const),
    members: fc.array(
      fc.record({
        shape: tie("shape"),
        width: fc.nat(127),
        gap: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(12)),
        anonymous: fc.boolean(),
      }),
      { maxLength: 8, size: "max" },
    ),
  }),
}));

export const structCase: fc.Arbitrary<StructCase> = struct.map((shape) => {
  const builder = new Builder();
  const root = builder.place(shape);
  return { types: builder.types, root };
});

class Builder {
  readonly types: BtfType[] = [{ kind: "void", name: "" }];
  #names = 0;

  place(shape: Shape): Placed {
    switch (shape.kind) {
      case "array": {
        const element = this.place(shape.element);
        const { length } = shape;
        const id = this.#add({
          kind: "array",
          name: "",
          elementTypeId: element.id,
          indexTypeId: 0,
          length,
        });
        return { kind: "array", id, size: length * element.size, element, length };
      }
      case "struct":
      case "union":
        return this.#composite(shape.kind, shape.members);
      default:
        return { ...shape, id: this.#scalar(shape) };
    }
  }

  #composite(kind: "struct" | "union", members: readonly ShapeMember[]): Placed {
    const placed: PlacedMember[] = [];
    let end = 0;
    for (const { shape, width, gap, anonymous } of members) {
      const type = this.place(shape);
      const width_bits = bitFieldWidth(type, width);
      const from = kind === "union" ? 0 : end;
      const offset_bits = width_bits > 0 ? from + gap : 8 * (Math.ceil(from / 8) + (gap % 4));
      end = Math.max(end, offset_bits + (width_bits || 8 * type.size));
      const named = !anonymous || (type.kind !== "struct" && type.kind !== "union");
      placed.push({ name: named ? `f${this.#names++}` : "", offset_bits, width_bits, type });
    }
    const size = Math.ceil(end / 8);
    const id = this.#add({ kind, name: `s${this.#names++}`, size, members: placed.map(toMember) });
    return { kind, id, size, members: placed };
  }

  #scalar({ kind, size, signed, char }: Scalar): number {
    switch (kind) {
      case "int": {
        const name = char ? "char" : `int${size}${signed}`;
        const bits = 8 * size;
        return this.#add({
          kind,
          name,
          size,
          signed,
          bool: false,
          char: false,
          bits,
          bitOffset: 0,
        });
      }
      case "enum":
        return this.#add({ kind, name: "", size, signed, enumerators: [] });
      case "float":
        return this.#add({ kind, name: `float${size}`, size });
      case "pointer":
        return this.#add({ kind, name: "", typeId: 0 });
    }
  }

  /** Half of the types hide behind a typedef or a qualifier. */
  #add(type: BtfType): number {
    this.types.push(type);
    const id = this.types.length - 1;
    if (id % 2 === 0) return id;
    this.types.push({ kind: id % 4 === 1 ? "typedef" : "const", name: "alias", typeId: id });
    return id + 1;
  }
}

function bitFieldWidth(type: Placed, raw: number): number {
  const mayBe = (type.kind === "int" || type.kind === "enum") && type.size <= 8 && !type.char;
  return mayBe && raw >= 64 ? 1 + ((raw - 64) % (8 * type.size)) : 0;
}

function toMember({ name, offset_bits, width_bits, type }: PlacedMember): BtfMember {
  return { name, typeId: type.id, offset_bits, bitfieldSize_bits: width_bits };
}
