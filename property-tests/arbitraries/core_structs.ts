/**
 * Pairs of C structs for CO-RE: what an object was compiled with, and what the kernel that runs it
 * has. The kernel's is the object's with members moved, retyped, dropped, added and nested.
 */

import fc from "fast-check";

type CoreType =
  | { readonly kind: "scalar"; readonly name: string }
  | { readonly kind: "array"; readonly element: string; readonly lengths: readonly number[] }
  | { readonly kind: "struct" | "union"; readonly members: readonly CoreMember[] };

interface CoreMember {
  /** Empty: an anonymous struct or union. */
  readonly name: string;
  readonly type: CoreType;
  /** 0: no bit field. */
  readonly bits: number;
}

export interface CorePair {
  /** C of the object: the struct `root`, and a program that asks everything about its members. */
  readonly object: string;
  /** C of the kernel's types. */
  readonly kernel: string;
}

const SCALARS = ["u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64", "void *", "enum colour"];
const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h"];
/** Widths that fit the type, by type. */
const BIT_TYPES: Readonly<Record<string, number>> = { u8: 8, s16: 16, u32: 32, s32: 32, u64: 64 };

const PRELUDE = `typedef unsigned char u8; typedef signed char s8; typedef unsigned short u16;
typedef short s16; typedef unsigned int u32; typedef int s32;
typedef unsigned long long u64; typedef long long s64;
`;

const scalar: fc.Arbitrary<CoreType> = fc.record({
  kind: fc.constant("scalar" as const),
  name: fc.constantFrom(...SCALARS),
});

const array: fc.Arbitrary<CoreType> = fc.record({
  kind: fc.constant("array" as const),
  element: fc.constantFrom(...SCALARS),
  lengths: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 2 }),
});

/** Members with these names, in this order; `depth` structs may nest. */
function membersOf(names: readonly string[], depth: number): fc.Arbitrary<CoreMember[]> {
  return fc.tuple(...names.map((name) => member(name, depth)));
}

function member(name: string, depth: number): fc.Arbitrary<CoreMember> {
  const plain = fc
    .oneof(
      { weight: 5, arbitrary: scalar },
      { weight: 2, arbitrary: array },
      { weight: depth > 0 ? 2 : 0, arbitrary: composite(depth - 1) },
    )
    .map((type) => ({ name, type, bits: 0 }));
  const bitField = fc.constantFrom(...Object.keys(BIT_TYPES)).chain((type) =>
    fc.integer({ min: 1, max: BIT_TYPES[type]! }).map((bits) => ({
      name,
      type: { kind: "scalar" as const, name: type },
      bits,
    })),
  );
  return fc.oneof({ weight: 4, arbitrary: plain }, { weight: 1, arbitrary: bitField });
}

function composite(depth: number): fc.Arbitrary<CoreType> {
  const names = fc.subarray(NAMES, { minLength: 1, maxLength: 3 });
  return fc.record({
    kind: fc.constantFrom("struct" as const, "union" as const),
    members: names.chain((chosen) => membersOf(chosen, Math.max(0, depth))),
  });
}

/** What becomes of a list of members in another kernel. */
function evolved(members: readonly CoreMember[], depth: number): fc.Arbitrary<CoreMember[]> {
  const changed = fc
    .tuple(...members.map((one) => evolvedMember(one, depth)))
    .map((lists) => lists.flat());
  const shuffled = changed.chain((list) =>
    fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
  );
  return fc.tuple(shuffled, fc.nat(3), fc.boolean()).map(([list, split, union]) => {
    // The first members move into an anonymous struct or union.
    if (split === 0 || list.length < 2) return list;
    const kind = union ? ("union" as const) : ("struct" as const);
    const inner = { name: "", type: { kind, members: list.slice(0, split) }, bits: 0 };
    return [...list.slice(split), inner];
  });
}

/** The member as it was, evolved, of another type, after padding, or gone. */
function evolvedMember(one: CoreMember, depth: number): fc.Arbitrary<CoreMember[]> {
  const { name, type } = one;
  const padding = (): CoreMember => ({
    name: `pad_${name}`,
    type: { kind: "scalar", name: "u32" },
    bits: 0,
  });
  const inside: fc.Arbitrary<CoreMember[]> =
    "members" in type
      ? evolved(type.members, depth - 1).map((members) => [
          { ...one, type: { kind: type.kind, members } },
        ])
      : fc.constant([one]);
  return fc.oneof<fc.MaybeWeightedArbitrary<CoreMember[]>[]>(
    { weight: 5, arbitrary: fc.constant([one]) },
    { weight: 3, arbitrary: inside },
    { weight: 3, arbitrary: fc.constant([padding(), one]) },
    { weight: 2, arbitrary: member(name, depth).map((other) => [other]) },
    { weight: 1, arbitrary: fc.constant([padding()]) },
  );
}

function declare({ name, type, bits }: CoreMember): string {
  const width = bits === 0 ? "" : ` : ${bits}`;
  switch (type.kind) {
    case "scalar":
      return `${type.name} ${name}${width};`;
    case "array":
      return `${type.element} ${name}${type.lengths.map((length) => `[${length}]`).join("")};`;
    default:
      return `${type.kind} { ${type.members.map(declare).join(" ")} } ${name};`;
  }
}

/** Paths of all members with what they are; arrays also with their last element. */
function paths(members: readonly CoreMember[], prefix = ""): [string, CoreMember][] {
  return members.flatMap((one): [string, CoreMember][] => {
    const path = one.name === "" ? prefix : `${prefix}${prefix === "" ? "" : "."}${one.name}`;
    if ("members" in one.type) {
      const own: [string, CoreMember][] = one.name === "" ? [] : [[path, one]];
      return [...own, ...paths(one.type.members, path)];
    }
    if (one.type.kind === "scalar") return [[path, one]];
    const { element, lengths } = one.type;
    const last = `${path}${lengths.map((length) => `[${length - 1}]`).join("")}`;
    const type: CoreType = { kind: "scalar", name: element };
    return [
      [path, one],
      [last, { name: one.name, type, bits: 0 }],
    ];
  });
}

/** Statements that ask about one member. `BPF_FIELD_*` numbers: 0 to 5. */
function questions(path: string, { type, bits }: CoreMember): string[] {
  const field = `r->${path}`;
  const ask = (kind: number) => `sink += __builtin_preserve_field_info(${field}, ${kind});`;
  // The compiler answers signs and shifts of whole numbers alone.
  const number = type.kind === "scalar" && type.name !== "void *" && !path.endsWith("]");
  const asked = (number ? [0, 1, 2, 3, 4, 5] : [0, 1, 2]).map(ask);
  if (type.kind !== "scalar" || bits !== 0) return asked;
  return [...asked, `sink += (u64)${field};`, `${field} = (${type.name})sink;`];
}

function enumeration(names: readonly string[], first: number): string {
  return `enum colour { ${names.map((name, i) => `${name} = ${first + i * 3}`).join(", ")} };`;
}

function objectText(members: readonly CoreMember[], colours: readonly string[]): string {
  const statements = paths(members).flatMap(([path, one]) => questions(path, one));
  const values = colours.flatMap((name) => [
    `sink += __builtin_preserve_enum_value(*(enum colour *)${name}, 0);`,
    `sink += __builtin_preserve_enum_value(*(enum colour *)${name}, 1);`,
  ]);
  return `${PRELUDE}${enumeration(colours, 1)}
struct root { ${members.map(declare).join("\n")} } __attribute__((preserve_access_index));
u64 sink;
__attribute__((section("raw_tp/x"))) int ask(struct root *r)
{
	${statements.join("\n\t")}
	${values.join("\n\t")}
	sink += __builtin_preserve_type_info(*(struct root *)0, 0);
	sink += __builtin_preserve_type_info(*(struct root *)0, 1);
	sink += __builtin_btf_type_id(*(struct root *)0, 1);
	return 0;
}
char LICENSE[] __attribute__((section("license"))) = "GPL";
`;
}

function kernelText(members: readonly CoreMember[], colours: readonly string[]): string {
  return `${PRELUDE}${enumeration(colours, 0x7ffffffe)}
struct root { ${members.map(declare).join("\n")} };
struct root root;
enum colour colour;
`;
}

const COLOURS = ["RED", "GREEN", "BLUE"];

export const corePair: fc.Arbitrary<CorePair> = fc
  .subarray(NAMES, { minLength: 1, maxLength: 6 })
  .chain((names) => membersOf(names, 2))
  .chain((local) =>
    fc.record({
      local: fc.constant(local),
      target: evolved(local, 2).filter(namesAreUnique),
      colours: fc.shuffledSubarray(COLOURS, { minLength: 1 }),
    }),
  )
  .map(({ local, target, colours }) => ({
    object: objectText(local, COLOURS),
    kernel: kernelText(target, colours),
  }));

/** Members of an anonymous struct share the names of the struct around it. */
function namesAreUnique(members: readonly CoreMember[]): boolean {
  const visible = (list: readonly CoreMember[]): string[] =>
    list.flatMap((one) => {
      if (one.name !== "") return [one.name];
      return "members" in one.type ? visible(one.type.members) : [];
    });
  const names = visible(members);
  if (new Set(names).size !== names.length) return false;
  return members.every((one) => !("members" in one.type) || namesAreUnique(one.type.members));
}
