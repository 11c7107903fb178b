import { describe, expect, it } from "vitest";
import { MAP_FLAG, MAP_TYPE } from "#core/backend.ts";
import { typeName } from "#core/btf/queries.ts";
import { type ObjectMap, parseObject } from "#wasm/loader/object_spec.ts";
import { compileBpf } from "../../../support/clang.ts";
import { thrown } from "../../../support/thrown.ts";

const HEADER = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
`;

const maps = parseObject(compileBpf("test/testdata/loader/maps.bpf.c"), "maps");
const globals = parseObject(compileBpf("test/testdata/loader/relocations.bpf.c"), "an-object");

function map(spec: { maps: readonly ObjectMap[] }, name: string): ObjectMap {
  return spec.maps.find((candidate) => candidate.spec.name === name)!;
}

function rejects(source: string): string {
  return thrown(() => parseObject(compileBpf(HEADER + source), "t")).message;
}

describe("programs", () => {
  it("come with name, section, kind and target, functions of .text apart", () => {
    expect(globals.programs.map(({ name, section, kind }) => [name, section, kind])).toEqual([
      ["calls", "tp/test/calls", "tracepoint"],
      ["data", "raw_tp/test", "raw_tracepoint"],
      ["callbacks", "tp/test/callbacks", "tracepoint"],
      ["externs", "tp/test/externs", "tracepoint"],
      ["optional", "tp/test/optional", "tracepoint"],
    ]);
    expect(globals.programs[0]!.target).toBe("test/calls");
    const text = globals.functions.filter(({ section }) => section === ".text");
    expect(text.map(({ name }) => name)).toEqual([
      "add_global",
      "add_static",
      "add_weak",
      "callback",
    ]);
  });

  it("of a section with ? do not load by default", () => {
    expect(globals.programs.map(({ autoload }) => autoload)).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it("may be the only function in .text", () => {
    const spec = parseObject(compileBpf("int only(void *c)\n{ return 1; }\n"), "t");
    expect(spec.programs).toMatchObject([{ name: "only", section: ".text", kind: "other" }]);
  });

  it("must not be static", () => {
    const source = `__attribute__((used)) SEC("xdp") static int f(void *c) { return 0; }`;
    expect(rejects(source)).toBe('open t: program "f" is static (EINVAL); drop `static`');
  });

  it("several in one section are told apart", () => {
    const source = `SEC("tc") int a(void *c) { return 1; } SEC("tc") int b(void *c) { return 2; }`;
    const spec = parseObject(compileBpf(HEADER + source), "t");
    expect(spec.programs.map(({ name, entry }) => [name, entry.start, entry.length])).toEqual([
      ["a", 0, 2],
      ["b", 2, 2],
    ]);
  });

  it("carry license and version", () => {
    expect([globals.license, globals.version]).toEqual(["GPL", 0x50a00]);
    expect([maps.license, maps.version]).toEqual(["GPL", 0]);
  });
});

describe("defined maps", () => {
  it("take sizes from numbers", () => {
    expect(map(maps, "sizes").spec).toEqual({
      name: "sizes",
      type: MAP_TYPE.hash,
      keySize: 4,
      valueSize: 24,
      maxEntries: 100,
      flags: MAP_FLAG.NO_PREALLOC,
      keyTypeId: 0,
      valueTypeId: 0,
    });
  });

  it("take sizes from types, and find lock and timer in the value", () => {
    const { spec, lockOffset, timerOffset } = map(maps, "locks");
    expect(spec).toMatchObject({ type: MAP_TYPE.array, keySize: 4, valueSize: 32 });
    expect(typeName(maps.btf, spec.keyTypeId!)).toBe("__u32");
    expect(typeName(maps.btf, spec.valueTypeId!)).toBe("struct locked");
    expect([lockOffset, timerOffset]).toEqual([8, 16]);
  });

  it("may have neither key nor value", () => {
    expect(map(maps, "ring").spec).toMatchObject({ keySize: 0, valueSize: 0, maxEntries: 4096 });
    expect(map(maps, "bloom")).toMatchObject({ spec: { keySize: 0, valueSize: 4 }, extra: 3n });
  });

  it("take long numbers from an enum", () => {
    const source = `struct { __uint(type, 30); __type(value, int);
enum { extra = 0x12345678 } map_extra; } m SEC(".maps");`;
    const spec = parseObject(compileBpf(HEADER + source), "t");
    expect(map(spec, "m").extra).toBe(0x1234_5678n);
  });

  it("have inner templates, and initial maps by slot", () => {
    const outer = map(maps, "outer");
    expect(outer.spec).toMatchObject({
      type: MAP_TYPE.array_of_maps,
      valueSize: 4,
      maxEntries: 3,
      inner: { type: MAP_TYPE.array, keySize: 4, valueSize: 8, maxEntries: 4 },
    });
    expect(outer.slots).toEqual([
      { index: 0, kind: "map", name: "inner_b" },
      { index: 2, kind: "map", name: "inner_a" },
    ]);
    expect(map(maps, "outer_hash").spec.inner).toMatchObject({
      type: MAP_TYPE.hash,
      keySize: 2,
      valueSize: 32,
    });
    expect(map(maps, "outer_hash").slots).toEqual([]);
  });

  it("of programs have initial programs by slot", () => {
    expect(map(maps, "jumps").slots).toEqual([
      { index: 1, kind: "program", name: "tail_a" },
      { index: 3, kind: "program", name: "tail_b" },
    ]);
  });

  it("note pinning instead of doing it", () => {
    expect(maps.notes).toEqual(['map "pinned": pinning 1 is left aside']);
  });

  it.each([
    ["without a type", "__uint(max_entries, 1);", /map "m" has no type .*; add __uint\(type/],
    ["with an unknown member", "__uint(type, 1); __uint(colour, 1);", /unknown member "colour"/],
    [
      "with two sizes of its key",
      "__uint(type, 1); __type(key, int); __uint(key_size, 8);",
      /has keys of both 4 and 8 bytes/,
    ],
    ["with values of no map", "__uint(type, 1); __array(values, int ());", /neither a map of maps/],
    [
      "with members after values",
      "__uint(type, 3); int (*values[0])(void *); __uint(max_entries, 1);",
      /has members after "values" .*; move `values` to the end/,
    ],
    ["with inner maps that are no maps", "__uint(type, 12); __array(values, int);", /by a int/],
    ["with a bare number", "__uint(type, 1); int max_entries;", /"max_entries" is no number/],
    ["with a bare type", "__uint(type, 1); int key;", /"key" names no type/],
  ])("%s are rejected", (_, members, expected) => {
    expect(rejects(`struct { ${members} } m SEC(".maps");`)).toMatch(expected);
  });

  it("that are static are rejected", () => {
    const source = `static struct { __uint(type, 1); } m SEC(".maps");
SEC("tc") int f(void *c) { return (long)bpf_map_lookup_elem(&m, c); }`;
    expect(rejects(source)).toMatch(/map "m" is not a global variable/);
  });

  it("in the legacy section are rejected", () => {
    expect(rejects(`int m SEC("maps") = 1;`)).toMatch(/legacy map definitions .* SEC\("\.maps"\)/);
  });

  it("with an initial value past max_entries are rejected", () => {
    const source = `struct inner { __uint(type, 2); __uint(max_entries, 1); __type(key, int);
__type(value, int); } i SEC(".maps");
struct { __uint(type, 12); __uint(max_entries, 1); __type(key, int); __array(values, struct inner); }
o SEC(".maps") = { .values = { [1] = &i } };`;
    expect(rejects(source)).toMatch(/map "o" has a value at 1 of 1 .*raise max_entries/);
  });
});

describe("global data", () => {
  it("becomes one array map for each section, read-only and shared as libbpf has it", () => {
    const data = globals.maps.filter(({ content }) => content !== "map");
    const { MMAPABLE, RDONLY_PROG } = MAP_FLAG;
    expect(
      data.map(({ spec, content, kernelName }) => [spec.name, content, kernelName, spec.flags]),
    ).toEqual([
      [".data", "data", "an_objec.data", MMAPABLE],
      [".rodata", "rodata", "an_objec.rodata", MMAPABLE | RDONLY_PROG],
      [".data.shared", "data", ".data.shared", MMAPABLE],
      [".bss", "bss", "an_objec.bss", MMAPABLE],
      [".kconfig", "kconfig", "an_obje.kconfig", MMAPABLE | RDONLY_PROG],
    ]);
    for (const { spec } of data) {
      expect(spec).toMatchObject({ type: MAP_TYPE.array, keySize: 4, maxEntries: 1 });
    }
  });

  it("keeps compiled values; .bss has none", () => {
    expect([...map(globals, ".data").initial!]).toEqual([7, 0, 0, 0, 9, 0, 0, 0]);
    expect(map(globals, ".bss").initial).toBeUndefined();
  });

  it("lists variables with their place, static ones too", () => {
    const found = (name: string) => globals.variables.find((v) => v.name === name);
    expect(found("limit")).toMatchObject({ map: ".rodata", offset: 0, size: 4, static: false });
    expect(found("negative")).toMatchObject({ map: ".rodata", offset: 4, size: 2 });
    expect(found("enabled")).toMatchObject({ map: ".rodata", offset: 6, size: 1 });
    expect(found("table")).toMatchObject({ map: ".rodata", offset: 8, size: 32, static: true });
    expect(found("zero_static")).toMatchObject({ map: ".bss", offset: 4, static: true });
    expect(found("custom")).toMatchObject({ map: ".data.shared", offset: 0 });
  });

  it("of strings without variables is private and read-only", () => {
    const source = `SEC("tc") int f(void *c)\n{ return bpf_trace_printk("hello", 6, 1); }`;
    const spec = parseObject(compileBpf(HEADER + source), "t");
    expect(spec.maps.map(({ spec }) => spec)).toMatchObject([
      { name: ".rodata.str1.1", flags: MAP_FLAG.RDONLY_PROG, valueSize: 6, valueTypeId: 0 },
    ]);
  });

  it("does not grow with the size that a section claims", () => {
    expect(rejects("char huge[1u << 30]; int f(void) { return huge[5]; }")).toMatch(
      /section "\.bss" has 1073741824 bytes/,
    );
  });
});

describe("externs", () => {
  it("of the configuration are laid out by alignment, size and name", () => {
    const kconfig = globals.externs.filter(({ kind }) => kind === "kconfig");
    expect(kconfig.map(({ name, offset, size, weak }) => [name, offset, size, weak])).toEqual([
      ["LINUX_KERNEL_VERSION", 0, 4, false],
      ["CONFIG_BPF_SYSCALL", 4, 1, true],
      ["CONFIG_HOSTNAME", 5, 16, true],
    ]);
    expect(map(globals, ".kconfig").spec.valueSize).toBe(21);
  });

  it("that nobody declares are rejected by name", () => {
    const source = `extern int mystery(void); SEC("tc") int f(void *c) { return mystery(); }`;
    expect(rejects(source)).toMatch(/symbol "mystery" is not defined .*__ksym or __kconfig/);
  });
});

it("an object without BTF is rejected", () => {
  const bytes = compileBpf("int f(void *c)\n{ return 1; }\n", ["-g0"]);
  const error = thrown(() => parseObject(bytes, "t"));
  expect(error.message).toBe("open t: object has no .BTF section (ENOEXEC); compile with -g");
});

it("a Buffer that is changed afterwards does not change the spec", () => {
  const buffer = Buffer.from(compileBpf("test/testdata/loader/relocations.bpf.c"));
  const spec = parseObject(buffer, "t");
  buffer.fill(0xff);
  expect([...map(spec, ".data").initial!.subarray(0, 4)]).toEqual([7, 0, 0, 0]);
  expect(spec.license).toBe("GPL");
});
