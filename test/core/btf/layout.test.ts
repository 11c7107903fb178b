import { describe, expect, it } from "vitest";
import type { BtfMember, BtfType } from "#core/btf/btf.ts";
import { findField } from "#core/btf/find_field.ts";
import { layoutOf } from "#core/btf/layout.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { alignOf, findType, sizeOf, skipModifiers, typeName } from "#core/btf/queries.ts";
import { BpfError } from "#core/errors.ts";
import { compileBpf } from "./compile.ts";

const DECLARATIONS = `
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32;
typedef unsigned long long u64;
enum state { CLOSED, OPEN };
struct header { u64 time_ns; u32 cpu; u16 type, length; };
struct address { union { u32 v4; u8 v6[16]; struct { u16 high, low; }; }; u16 port; };
struct __attribute__((packed)) tight { u8 tag; u64 value; u16 tail; };
struct event {
  struct header header;
  char comm[16];
  const volatile struct address source, target[2];
  enum state state;
  u8 matrix[3][5];
  struct tight tight;
  union { u64 bytes; double ratio; } measure;
  void *cookie;
  _Bool flag;
  float load;
  __int128 wide;
  u64 rest[];
};
`;

/** Paths that `__builtin_offsetof` and `sizeof` take as they stand. */
const PATHS = [
  "header",
  "header.time_ns",
  "header.cpu",
  "header.type",
  "header.length",
  "comm",
  "comm[15]",
  "source",
  "source.v4",
  "source.v6",
  "source.v6[7]",
  "source.high",
  "source.low",
  "source.port",
  "target",
  "target[1]",
  "target[1].low",
  "target[1].port",
  "state",
  "matrix",
  "matrix[2]",
  "matrix[2][4]",
  "tight",
  "tight.value",
  "tight.tail",
  "measure.ratio",
  "cookie",
  "flag",
  "load",
  "wide",
];

function compileConstants(): { btf: ReturnType<typeof parseBtf>; constants: BigUint64Array } {
  const rows = PATHS.map(
    (path) => `__builtin_offsetof(struct event, ${path}), sizeof(((struct event *)0)->${path}),`,
  );
  const object = compileBpf(`${DECLARATIONS}
    struct event *event; struct tight *tight; struct address *address;
    unsigned long long constants[] __attribute__((section(".offsets"))) = {
      ${rows.join("\n")} sizeof(struct event), _Alignof(struct event), sizeof(struct tight),
      _Alignof(struct tight), sizeof(struct address), _Alignof(struct address),
    };`);
  const bytes = object.section(".offsets").slice();
  return { btf: parseBtf(object.section(".BTF")), constants: new BigUint64Array(bytes.buffer) };
}

describe("layoutOf on a compiled struct", () => {
  const { btf, constants } = compileConstants();
  const layout = layoutOf(btf, findType(btf, "event", "struct")!);
  const constant = (index: number) => Number(constants[index]);

  it.each(PATHS.map((path, i) => [path, i] as const))("agrees with offsetof for %s", (path, i) => {
    const field = findField(layout, path);
    expect({ offset: field.offset, size: field.size }).toEqual({
      offset: constant(2 * i),
      size: constant(2 * i + 1),
    });
  });

  it.each([
    ["event", 0],
    ["tight", 2],
    ["address", 4],
  ] as const)("agrees with sizeof and _Alignof for struct %s", (name, i) => {
    const id = findType(btf, name, "struct")!;
    expect(sizeOf(btf, id)).toBe(constant(2 * PATHS.length + i));
    expect(layoutOf(btf, id).size).toBe(constant(2 * PATHS.length + i));
    expect(alignOf(btf, id)).toBe(constant(2 * PATHS.length + i + 1));
  });

  it("lists structs before their members and merges anonymous ones", () => {
    expect(layout.fields.map((field) => field.path)).toEqual([
      "header",
      "header.time_ns",
      "header.cpu",
      "header.type",
      "header.length",
      "comm",
      "source",
      "source.v4",
      "source.v6",
      "source.high",
      "source.low",
      "source.port",
      "target",
      "state",
      "matrix",
      "tight",
      "tight.tag",
      "tight.value",
      "tight.tail",
      "measure",
      "measure.bytes",
      "measure.ratio",
      "cookie",
      "flag",
      "load",
      "wide",
      "rest",
    ]);
  });

  it("finds each listed field by its path", () => {
    for (const field of layout.fields) expect(findField(layout, field.path)).toEqual(field);
  });

  it("puts a flexible array at the end with no size", () => {
    expect(findField(layout, "rest")).toMatchObject({ offset: layout.size, size: 0 });
  });

  it.each([
    ["nothing", /no field "nothing"; use header, comm/],
    ["header.nothing", /no field "header.nothing"; use time_ns, cpu, type, length/],
    ["header.cpu.low", /no field "header.cpu.low"; "header.cpu" is a int/],
    ["comm[16]", /comm\[16\] is past the end, the array has 16/],
    ["header[0]", /"header" is a struct, not an array/],
    ["comm[-1]", /not a path/],
    ["comm[]", /not a path/],
    [".header", /not a path/],
    ["header..cpu", /not a path/],
    ["headercpu ", /not a path/],
    ["__proto__", /no field "__proto__"/],
  ])("refuses the path %j", (path, message) => {
    expect(() => findField(layout, path)).toThrow(BpfError);
    expect(() => findField(layout, path)).toThrow(message);
  });

  it("lays out scalars, arrays and variables, too", () => {
    const variable = layoutOf(btf, findType(btf, "event", "variable")!);
    expect(variable.root).toMatchObject({ kind: "pointer", size: 8 });
    const matrix = layoutOf(btf, findField(layout, "matrix").typeId);
    expect(findField(matrix, "[2][4]")).toMatchObject({ offset: 14, size: 1 });
  });

  it("names types as C does", () => {
    const variable = btf.types[findType(btf, "event", "variable")!]!;
    expect(variable.kind === "variable" && typeName(btf, variable.typeId)).toBe("struct event *");
    expect(typeName(btf, findField(layout, "matrix").typeId)).toBe("u8 [3][5]");
    expect(typeName(btf, skipModifiers(btf, findType(btf, "u32", "typedef")!))).toBe(
      "unsigned int",
    );
  });
});

describe("layoutOf on hand-made types", () => {
  const int: BtfType = {
    kind: "int",
    name: "int",
    size: 4,
    signed: true,
    bool: false,
    char: false,
    bits: 32,
    bitOffset: 0,
  };
  const member = (name: string, typeId: number, offset_bits = 0, width = 0): BtfMember => ({
    name,
    typeId,
    offset_bits,
    bitfieldSize_bits: width,
  });
  const struct = (size: number, ...members: BtfMember[]): BtfType => ({
    kind: "struct",
    name: "s",
    size,
    members,
  });
  const layout = (...types: BtfType[]) => {
    const all: BtfType[] = [{ kind: "void", name: "" }, ...types];
    return layoutOf({ littleEndian: true, types: all, strings: new Uint8Array(1) }, types.length);
  };

  it("takes a bit field's place from an integer of odd width, as old compilers put it", () => {
    const old = { ...int, bits: 5, bitOffset: 3 };
    expect(layout(old, struct(8, member("x", 1, 32))).fields).toMatchObject([
      { offset: 4, bitOffset: 3, bits: 5, bitField: true },
    ]);
  });

  it("splits a bit position beyond 2^31 into byte and bit", () => {
    const huge: BtfType = { kind: "array", name: "", elementTypeId: 3, indexTypeId: 1, length: 2 };
    const inner = struct(0x7000_0000, member("x", 1, 0x3_0000_0003, 2));
    const { btf, root } = layout(int, huge, inner, struct(0xe000_0000, member("pair", 2)));
    const field = findField(layoutOf(btf, root.typeId), "pair[1].x");
    expect(field).toMatchObject({ offset: 0x7000_0000 + 0x6000_0000, bitOffset: 3, bits: 2 });
  });

  it.each<[string, BtfType[], RegExp]>([
    ["a member past its struct", [int, struct(4, member("x", 1, 8))], /"x" ends at bit 40/],
    ["a bit field past its struct", [int, struct(4, member("x", 1, 30, 3))], /ends at bit 33/],
    ["a member between bytes", [int, struct(8, member("x", 1, 3))], /starts at bit 3/],
    ["a bit field of 33 bits in 32", [int, struct(8, member("x", 1, 0, 33))], /33 bits/],
    ["two members of one name", [int, struct(4, member("x", 1), member("x", 1))], /declared twice/],
    ["a member that is void", [struct(4, member("x", 0))], /void.* has no size/],
    [
      "a bit field of pointer",
      [{ kind: "pointer", name: "", typeId: 0 }, struct(8, member("x", 1, 0, 3))],
      /bit field of pointer/,
    ],
    [
      "a forward declaration",
      [{ kind: "forward", name: "f", union: false }],
      /struct f .*has no size/,
    ],
    [
      "a function's type",
      [{ kind: "prototype", name: "", returnTypeId: 0, parameters: [] }],
      /no size/,
    ],
  ])("refuses %s", (_name, types, message) => {
    expect(() => layout(...types)).toThrow(BpfError);
    expect(() => layout(...types)).toThrow(message);
  });

  it("refuses an array whose size overflows", () => {
    const array = (elementTypeId: number): BtfType => ({
      kind: "array",
      name: "",
      elementTypeId,
      indexTypeId: 1,
      length: 0x10000,
    });
    expect(() => layout(int, array(1), array(2), array(3))).toThrow(/larger than 4 GiB/);
  });

  /** Each struct holds the one before it twice: 2^40 fields from 40 types. */
  const doubled = (name: string): BtfType[] => [
    struct(0),
    ...Array.from({ length: 40 }, (_, i) =>
      struct(0, member(name, i + 1), member(name === "" ? "" : "b", i + 1)),
    ),
  ];

  it("refuses exponentially many fields, named or anonymous", () => {
    expect(() => layout(...doubled("a"))).toThrow(/more than 65536 fields/);
    expect(() => layout(...doubled(""))).toThrow(/more than 65536 fields/);
  });

  it("refuses a nesting that would overflow the stack", () => {
    const deep = Array.from({ length: 50_000 }, (_, i) =>
      struct(0, ...(i ? [member("a", i)] : [])),
    );
    expect(() => layout(...deep)).toThrow(/nested too deeply/);
  });
});
