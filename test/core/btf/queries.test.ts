import { describe, expect, it } from "vitest";
import type { Btf, BtfType } from "#core/btf/btf.ts";
import {
  alignOf,
  describeType,
  findType,
  findTypes,
  isChar,
  sizeOf,
  skipModifiers,
  typeAt,
  typeName,
} from "#core/btf/queries.ts";
import { BpfError } from "#core/errors.ts";

function btfOf(...types: BtfType[]): Btf {
  const all: BtfType[] = [{ kind: "void", name: "" }, ...types];
  return { littleEndian: true, types: all, strings: new Uint8Array(1) };
}

const int = (name: string, size: number, char = false): BtfType => ({
  kind: "int",
  name,
  size,
  signed: true,
  bool: false,
  char,
  bits: 8 * size,
  bitOffset: 0,
});
const alias = (kind: "typedef" | "const" | "type_tag", typeId: number, name = ""): BtfType => ({
  kind,
  name,
  typeId,
});
const array = (elementTypeId: number, length: number): BtfType => ({
  kind: "array",
  name: "",
  elementTypeId,
  indexTypeId: 0,
  length,
});
const pointer = (typeId: number): BtfType => ({ kind: "pointer", name: "", typeId });
const struct = (name: string, size: number): BtfType => ({
  kind: "struct",
  name,
  size,
  members: [],
});

describe("findType", () => {
  const btf = btfOf(
    struct("list", 1),
    alias("typedef", 1, "list"),
    struct("list", 2),
    struct("", 3),
  );

  it("tells types of one name apart by kind, and takes the first", () => {
    expect(findType(btf, "list", "struct")).toBe(1);
    expect(findType(btf, "list", "typedef")).toBe(2);
    expect(findType(btf, "list", "union")).toBeUndefined();
  });

  it("lists all types of a name", () => {
    expect(findTypes(btf, "list")).toEqual([1, 2, 3]);
    expect(findTypes(btf, "absent")).toEqual([]);
  });

  it("finds no anonymous type", () => {
    expect(findType(btf, "", "struct")).toBeUndefined();
  });

  it("does not take a property of objects for a name", () => {
    expect(findTypes(btf, "constructor")).toEqual([]);
  });
});

describe("typeAt", () => {
  it.each([-1, 2, 0.5, Number.NaN])("refuses id %d of 0..1", (id) => {
    expect(() => typeAt(btfOf(struct("s", 1)), id)).toThrow(BpfError);
    expect(() => typeAt(btfOf(struct("s", 1)), id)).toThrow(/outside 0\.\.1/);
  });
});

describe("skipModifiers", () => {
  it("looks through typedefs, qualifiers and tags, not through pointers", () => {
    const btf = btfOf(int("int", 4), alias("const", 1), alias("type_tag", 2, "user"), pointer(3));
    expect(skipModifiers(btf, 3)).toBe(1);
    expect(skipModifiers(btf, 4)).toBe(4);
    expect(skipModifiers(btf, 0)).toBe(0);
  });

  it("takes 64 modifiers, refuses 65 and a circle", () => {
    const chain = Array.from({ length: 65 }, (_, i) => alias("const", i + 1));
    expect(skipModifiers(btfOf(int("int", 4), ...chain), 65)).toBe(1);
    expect(() => skipModifiers(btfOf(int("int", 4), ...chain), 66)).toThrow(
      /more than 64 modifiers/,
    );
    expect(() => skipModifiers(btfOf(alias("const", 1)), 1)).toThrow(BpfError);
  });
});

describe("sizeOf", () => {
  const btf = btfOf(
    int("int", 4),
    array(1, 3),
    array(2, 0x1000),
    alias("typedef", 3, "grid"),
    pointer(4),
  );

  it("multiplies the dimensions of an array", () => {
    expect(sizeOf(btf, 4)).toBe(4 * 3 * 0x1000);
  });

  it("is 8 for a pointer", () => {
    expect(sizeOf(btf, 5)).toBe(8);
  });

  it("is 0 for an array without elements", () => {
    expect(sizeOf(btfOf(int("int", 4), array(1, 0)), 2)).toBe(0);
  });

  it("refuses void and names what it refuses", () => {
    expect(() => sizeOf(btf, 0)).toThrow("size BTF type: void (type 0) has no size");
  });

  it("takes 2^32 - 1 bytes and refuses 2^32", () => {
    expect(sizeOf(btfOf(int("char", 1), array(1, 0xffffffff)), 2)).toBe(0xffffffff);
    const twice = btfOf(int("short", 2), array(1, 0x80000000));
    expect(() => sizeOf(twice, 2)).toThrow(/larger than 4 GiB/);
  });
});

describe("alignOf", () => {
  it.each([
    ["a 128-bit integer", int("__int128", 16), 16],
    ["an x87 number", { kind: "float", name: "long double", size: 12 } as BtfType, 4],
    ["a pointer", pointer(0), 8],
    ["an empty struct", struct("empty", 0), 1],
  ])("of %s", (_name, type, alignment) => {
    expect(alignOf(btfOf(type), 1)).toBe(alignment);
  });

  it("refuses void", () => {
    expect(() => alignOf(btfOf(), 0)).toThrow(/void.* has no alignment/);
  });
});

describe("typeName", () => {
  const btf = btfOf(
    int("char", 1),
    alias("const", 1),
    pointer(2),
    pointer(3),
    array(1, 5),
    array(5, 3),
    { kind: "union", name: "", size: 0, members: [] },
    { kind: "forward", name: "later", union: true },
    { kind: "prototype", name: "", returnTypeId: 1, parameters: [] },
    pointer(11),
    alias("const", 10),
  );

  it.each([
    [0, "void"],
    [3, "const char *"],
    [4, "const char **"],
    [6, "char [3][5]"],
    [7, "union (anonymous)"],
    [8, "union later"],
    [9, "char (…)"],
    [99, "type 99"],
  ])("of type %d is %s", (id, name) => {
    expect(typeName(btf, id)).toBe(name);
  });

  it("ends for pointers in a circle", () => {
    expect(typeName(btf, 10)).toContain("…");
  });

  it("stands with the id in messages", () => {
    expect(describeType(btf, 3)).toBe("const char * (type 3)");
  });
});

describe("isChar", () => {
  it("knows char by name or flag, at one byte", () => {
    const btf = btfOf(int("char", 1), int("s8", 1, true), int("signed char", 1), int("char", 2));
    expect([1, 2, 3, 4].map((id) => isChar(btf, id))).toEqual([true, true, false, false]);
  });
});
