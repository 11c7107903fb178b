import { describe, expect, it } from "vitest";
import { CorePatchError, type CoreResult, patchInstruction } from "#wasm/loader/core_patch.ts";
import { Code } from "#wasm/loader/instructions.ts";
import { POISON_HELPER } from "#wasm/loader/linked_program.ts";

const RESULT: CoreResult = {
  compiled: 8n,
  value: 24n,
  certain: true,
  compiledSize: 4,
  size: 4,
  resizable: true,
  missing: undefined,
};

/** Instructions as hex, patched at slot 0. */
function patch(hex: string, result: Partial<CoreResult>): { code: string; why?: string } {
  const code = new Code(new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex")));
  const why = patchInstruction(code, 0, { ...RESULT, ...result });
  const patched = Buffer.from(code.bytes).toString("hex");
  return why === undefined ? { code: patched } : { code: patched, why };
}

describe("patchInstruction", () => {
  it.each([
    ["mov64 imm", "b7 01 0000 08000000", "b701000018000000"],
    ["mov32 imm", "b4 01 0000 08000000", "b401000018000000"],
    ["add64 imm", "07 01 0000 08000000", "0701000018000000"],
    ["ldxw", "61 10 0800 00000000", "6110180000000000"],
    ["stxdw", "7b 10 0800 00000000", "7b10180000000000"],
    ["stb imm", "72 01 0800 2a000000", "720118002a000000"],
    ["atomic add", "db 10 0800 00000000", "db10180000000000"],
    ["lddw", "18 01 0000 08000000 00000000 00000000", "18010000180000000000000000000000"],
  ])("writes the value into %s", (_, before, after) => {
    expect(patch(before, {}).code).toBe(after);
  });

  it("writes both halves of a 64-bit load", () => {
    const lddw = "18 01 0000 08000000 00000000 00000000";
    expect(patch(lddw, { value: 0xffff_ffff_8000_0001n }).code).toBe(
      "180100000100008000000000ffffffff",
    );
  });

  it.each([
    [8, "7910180000000000"],
    [4, "6110180000000000"],
    [2, "6910180000000000"],
    [1, "7110180000000000"],
  ])("makes a load access %d bytes", (size, after) => {
    expect(patch("61 10 0800 00000000", { size }).code).toBe(after);
  });

  it("keeps the mode of a load that extends its sign", () => {
    expect(patch("81 10 0800 00000000", { size: 2 }).code).toBe("8910180000000000");
  });

  it("poisons what the kernel lacks, and what must not be resized", () => {
    const poison = "850000001023ad0b";
    expect(Buffer.from(poison, "hex").readUInt32LE(4)).toBe(POISON_HELPER);
    expect(patch("61 10 0800 00000000", { missing: "gone" })).toEqual({
      code: poison,
      why: "gone",
    });
    const lddw = "18 01 0000 08000000 00000000 00000000";
    expect(patch(lddw, { missing: "gone" }).code).toBe(poison + poison);
    const resized = patch("61 10 0800 00000000", { size: 8, resizable: false });
    expect(resized.code).toBe(poison);
    expect(resized.why).toMatch(/8 bytes in the kernel's types, 4 in the object's/);
  });

  it.each([
    ["a register operand", "bf 12 0000 00000000", {}, /without an immediate/],
    ["another immediate", "b7 01 0000 09000000", {}, /holds 9, not 8/],
    ["another offset", "61 10 0900 00000000", {}, /holds 9, not 8/],
    ["an access of another size", "79 10 0800 00000000", { size: 8 }, /8 bytes to a field of 4/],
    ["a size of 3", "61 10 0800 00000000", { size: 3 }, /access of 3 bytes, which does not exist/],
    ["an offset of 32768", "61 10 0800 00000000", { value: 0x8000n }, /out of the instruction/],
    ["a jump", "05 00 0800 00000000", {}, /no load, store or arithmetic/],
    ["half a 64-bit load", "18 01 0000 08000000", {}, /no 64-bit immediate/],
    ["a map load", "18 11 0000 08000000 00000000 00000000", {}, /no 64-bit immediate/],
  ])("rejects %s", (_, code, result, expected) => {
    expect(() => patch(code, result)).toThrow(CorePatchError);
    expect(() => patch(code, result)).toThrow(expected);
  });

  it("does not doubt the compiler where it may differ, as on bit fields", () => {
    expect(patch("b7 01 0000 09000000", { certain: false }).code).toBe("b701000018000000");
  });

  it("reaches offset 32767", () => {
    expect(patch("61 10 0800 00000000", { value: 0x7fffn }).code).toBe("6110ff7f00000000");
  });
});
