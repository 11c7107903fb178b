import { describe, expect, it } from "vitest";
import { type InitialDataOptions, initialData } from "#wasm/loader/initial_data.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";
import { compileBpf } from "../../../support/clang.ts";
import { thrown } from "../../../support/thrown.ts";

const spec = parseObject(compileBpf("test/testdata/loader/relocations.bpf.c"), "t");
const KCONFIG = { LINUX_KERNEL_VERSION: 0x61200 };

function view(map: string, options: InitialDataOptions): DataView {
  const bytes = initialData(spec, { kconfig: KCONFIG, ...options }).get(map)!;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function message(options: InitialDataOptions): string {
  return thrown(() => initialData(spec, { kconfig: KCONFIG, ...options })).message;
}

describe("constants", () => {
  it("keep compiled values where nothing is said", () => {
    expect(view(".rodata", {}).getUint32(0, true)).toBe(3);
    expect(view(".rodata", {}).getInt16(4, true)).toBe(-2);
    expect(view(".data", {}).getUint32(0, true)).toBe(7);
    expect(view(".bss", {}).byteLength).toBe(8);
  });

  it("are encoded by the variable's type", () => {
    const rodata = view(".rodata", { constants: { limit: 0xffffffff, negative: -32768n } });
    expect(rodata.getUint32(0, true)).toBe(0xffffffff);
    expect(rodata.getInt16(4, true)).toBe(-32768);
    expect(rodata.getUint8(6)).toBe(1);
    expect(view(".rodata", { constants: { enabled: 0 } }).getUint8(6)).toBe(0);
    expect(view(".bss", { constants: { zero: 5 } }).getUint32(0, true)).toBe(5);
  });

  it("are written where the compiler put the variable, and nowhere else", () => {
    const bytes = new Uint8Array(32).fill(0xaa);
    const rodata = view(".rodata", { constants: { table: bytes } });
    const before = view(".rodata", {});
    expect(rodata.getBigUint64(8, true)).toBe(0xaaaaaaaaaaaaaaaan);
    expect(rodata.getBigUint64(32, true)).toBe(0xaaaaaaaaaaaaaaaan);
    expect(rodata.getBigUint64(0, true)).toBe(before.getBigUint64(0, true));
  });

  it("do not change the object", () => {
    view(".rodata", { constants: { limit: 99 } });
    expect(view(".rodata", {}).getUint32(0, true)).toBe(3);
  });

  it.each([
    ["one below the range", { limit: -1 }, /-1 does not fit "limit".*unsigned 32-bit.*ERANGE/],
    ["one above the range", { negative: 32768 }, /32768 does not fit "negative".*signed 16-bit/],
    ["a fraction", { limit: 0.5 }, /0.5 does not fit "limit", which holds whole numbers/],
    ["a bool of 2", { enabled: 2 }, /2 does not fit "enabled", which holds 0 or 1/],
    ["bytes too few", { limit: new Uint8Array(3) }, /variable "limit" has 4 bytes, not 3/],
    ["a number for an array", { table: 1 }, /"table" is .*no number \(EINVAL\); give its bytes/],
    ["an unknown name", { nobody: 1 }, /no global variable is called "nobody" \(ENOENT\)/],
  ])("reject %s", (_, constants, expected) => {
    expect(message({ constants })).toMatch(expected);
  });
});

describe("kernel configuration", () => {
  it("answers externs, cutting texts to fit", () => {
    const kconfig = {
      ...KCONFIG,
      CONFIG_BPF_SYSCALL: "y",
      CONFIG_HOSTNAME: "a-name-of-17-chars",
    };
    const data = view(".kconfig", { kconfig });
    expect(data.getUint32(0, true)).toBe(0x61200);
    expect(data.getUint8(4)).toBe(1);
    const text = new Uint8Array(data.buffer, data.byteOffset + 5, 16);
    expect(new TextDecoder().decode(text)).toBe("a-name-of-17-ch\0");
  });

  it("leaves weak externs zero, and rejects strong ones by name", () => {
    expect(view(".kconfig", {}).getUint8(4)).toBe(0);
    expect(message({ kconfig: {} })).toMatch(/no "LINUX_KERNEL_VERSION" \(ENOENT\).*__weak/);
  });

  it.each([
    ["a module for a bool", { CONFIG_BPF_SYSCALL: "m" }, /"m" in the configuration, not of type/],
    ["a text for a number", { LINUX_KERNEL_VERSION: "6.12" }, /"6.12" in the configuration/],
    ["a number for a text", { CONFIG_HOSTNAME: 1 }, /is 1 in the configuration, not of type char/],
    ["a number out of range", { LINUX_KERNEL_VERSION: 2 ** 31 }, /does not fit .*\(ERANGE\)/],
  ])("rejects %s", (_, kconfig, expected) => {
    expect(message({ kconfig: { ...KCONFIG, ...kconfig } })).toMatch(expected);
  });

  it("knows tristates and characters", () => {
    const source = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
extern enum libbpf_tristate CONFIG_A __kconfig;
extern enum libbpf_tristate CONFIG_B __kconfig;
extern char CONFIG_C __kconfig;
SEC("tc") int f(void *c) { return CONFIG_A + CONFIG_B + CONFIG_C; }`;
    const tristate = parseObject(compileBpf(source), "t");
    const kconfig = { CONFIG_A: "m", CONFIG_B: true, CONFIG_C: "n" };
    const bytes = initialData(tristate, { kconfig }).get(".kconfig")!;
    expect([...bytes]).toEqual([2, 0, 0, 0, 1, 0, 0, 0, "n".charCodeAt(0)]);
  });
});
