/** Random C structs with initialised instances, for comparing what the compiler does with BTF. */

import fc from "fast-check";

interface CMember {
  readonly type: CType;
  /** 0: not a bit field. */
  readonly width: number;
  readonly anonymous: boolean;
}

type CType =
  | { readonly kind: "scalar"; readonly name: string; readonly raw: bigint }
  | { readonly kind: "text"; readonly text: string; readonly length: number }
  | { readonly kind: "array"; readonly elements: readonly CType[] }
  | {
      readonly kind: "struct" | "union";
      readonly packed: boolean;
      readonly members: readonly CMember[];
    };

/** A struct's C text, what its instance holds, and the paths that `offsetof` takes. */
export interface CStruct {
  readonly declaration: string;
  readonly initialiser: string;
  readonly value: unknown;
  readonly paths: readonly string[];
}

export const C_PRELUDE = `
typedef unsigned char u8; typedef signed char s8; typedef unsigned short u16; typedef short s16;
typedef unsigned int u32; typedef int s32; typedef unsigned long long u64; typedef long long s64;
enum e { ENUM_LAST = 0xffffffff };
`;

const INTEGERS: Readonly<Record<string, readonly [bits: number, signed: boolean]>> = {
  u8: [8, false],
  s8: [8, true],
  u16: [16, false],
  s16: [16, true],
  u32: [32, false],
  s32: [32, true],
  u64: [64, false],
  s64: [64, true],
  "enum e": [32, false],
  _Bool: [1, false],
};

const scalar: fc.Arbitrary<CType> = fc.record({
  kind: fc.constant("scalar" as const),
  name: fc.constantFrom(...Object.keys(INTEGERS), "float", "double", "void *"),
  raw: fc.bigInt(0n, (1n << 64n) - 1n),
});

const text: fc.Arbitrary<CType> = fc
  .tuple(fc.stringMatching(/^[a-z ]{0,9}$/), fc.integer({ min: 1, max: 4 }))
  .map(([value, rest]) => ({ kind: "text", text: value, length: value.length + rest }));

const { struct } = fc.letrec<{ type: CType; struct: CType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    { weight: 6, arbitrary: scalar },
    text,
    scalar.chain((element) =>
      fc.integer({ min: 1, max: 4 }).map((length) => ({
        kind: "array" as const,
        elements: Array.from({ length }, () => element),
      })),
    ),
    { weight: 2, arbitrary: tie("struct") },
  ),
  struct: fc.record({
    kind: fc.constantFrom("struct" as const, "struct" as const, "union" as const),
    packed: fc.boolean(),
    members: fc.array(
      fc.record({
        type: tie("type"),
        width: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 64 })),
        anonymous: fc.boolean(),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  }),
}));

/** `name` must differ between structs of one file: it prefixes every field. */
export function renderStruct(type: CType, name: string): CStruct {
  const renderer = new Renderer(name);
  const { open, initialiser, value } = renderer.type(type, "", false);
  return { declaration: `${open};`, initialiser, value, paths: renderer.paths };
}

export const cStruct: fc.Arbitrary<CType> = struct;

interface Rendered {
  /** Text before the declarator, and after it. */
  readonly open: string;
  readonly close?: string;
  readonly initialiser: string;
  readonly value: unknown;
}

class Renderer {
  readonly paths: string[] = [];
  readonly #prefix: string;
  #names = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  type(type: CType, path: string, anonymous: boolean): Rendered {
    switch (type.kind) {
      case "scalar":
        return { open: type.name, ...renderScalar(type.name, type.raw) };
      case "text": {
        const initialiser = JSON.stringify(type.text);
        return { open: "char", close: `[${type.length}]`, initialiser, value: type.text };
      }
      case "array": {
        const elements = type.elements.map((element) => this.type(element, path, false));
        const values = elements.map((element) => element.value);
        const bytes = elements[0]!.open === "u8";
        return {
          open: elements[0]!.open,
          close: `[${elements.length}]`,
          initialiser: `{${elements.map((element) => element.initialiser).join(", ")}}`,
          value: bytes ? Uint8Array.from(values as number[]) : values,
        };
      }
      default:
        return this.#composite(type, path, anonymous);
    }
  }

  #composite(
    type: Extract<CType, { members: unknown }>,
    path: string,
    anonymous: boolean,
  ): Rendered {
    const declarations: string[] = [];
    const initialisers: string[] = [];
    const value: Record<string, unknown> = {};
    for (const [i, member] of type.members.entries()) {
      const composite = member.type.kind === "struct" || member.type.kind === "union";
      const merged = composite && member.anonymous;
      const name = merged ? "" : `${this.#prefix}_${this.#names++}`;
      const inner = merged ? path : path === "" ? name : `${path}.${name}`;
      const width = bitFieldWidth(member);
      if (!merged && width === 0) this.paths.push(inner);
      const rendered = renderMember(this.type(member.type, inner, merged), member.type, width);
      const tail = width > 0 ? ` : ${width}` : (rendered.close ?? "");
      declarations.push(`${rendered.open} ${name}${tail};`);
      // The first member initialises a union.
      if (type.kind === "union" && i > 0) continue;
      initialisers.push(merged ? rendered.initialiser : `.${name} = ${rendered.initialiser}`);
      Object.assign(value, merged ? rendered.value : { [name]: rendered.value });
    }
    const tag = anonymous ? "" : ` ${this.#prefix}_${this.#names++}`;
    const packed = type.packed ? " __attribute__((packed))" : "";
    return {
      open: `${type.kind}${packed}${tag} {\n${declarations.join("\n")}\n}`,
      initialiser: `{${initialisers.join(", ")}}`,
      value,
    };
  }
}

function bitFieldWidth({ type, width }: CMember): number {
  if (type.kind !== "scalar") return 0;
  const [bits] = INTEGERS[type.name] ?? [0];
  return width === 0 || bits === 0 ? 0 : 1 + (width % bits);
}

/** A bit field's value is cut to its width before the compiler sees it. */
function renderMember(rendered: Rendered, type: CType, width: number): Rendered {
  if (width === 0 || type.kind !== "scalar") return rendered;
  return { ...rendered, ...renderInteger(type.name, type.raw, width) };
}

function renderScalar(name: string, raw: bigint): { initialiser: string; value: unknown } {
  if (name === "void *") return { initialiser: `(void *)${raw}ULL`, value: raw };
  const integer = INTEGERS[name];
  if (integer !== undefined) return renderInteger(name, raw, integer[0]);
  // Eighths are exact in both formats.
  const value = Number(raw % 100_000n) / 8 - 5_000;
  return { initialiser: String(value), value };
}

function renderInteger(name: string, raw: bigint, width: number) {
  const [bits, signed] = INTEGERS[name]!;
  const value = (signed ? BigInt.asIntN : BigInt.asUintN).call(BigInt, width, raw);
  const literal = `(s64)${BigInt.asUintN(64, value)}ULL`;
  const initialiser = signed ? literal : `${value}${bits > 32 ? "ULL" : "U"}`;
  return { initialiser, value: bits > 32 ? value : Number(value) };
}
