import { describe, expect, it } from "vitest";
import { AssemblerError, assemble } from "#property-tests/isa/assembler.ts";

function bytes(text: string): string {
  return Buffer.from(assemble(text)).toString("hex");
}

/** One instruction as its text and its bytes, written by hand from RFC 9669. */
const ENCODINGS: readonly (readonly [string, string])[] = [
  ["add %r1, 0x11223344", "0701000044332211"],
  ["add32 %r1, %r2", "0c21000000000000"],
  ["mov %r0, -1", "b7000000ffffffff"],
  ["mov r9, r10", "bfa9000000000000"],
  ["mov32 %r0, 0xffffffff", "b4000000ffffffff"],
  ["neg32 %r3", "8403000000000000"],
  ["sdiv %r1, %r2", "3f21010000000000"],
  ["smod32 %r1, -3", "94010100fdffffff"],
  ["movsx832 %r1, %r2", "bc21080000000000"],
  ["movsx3264 %r1, %r2", "bf21200000000000"],
  ["le16 %r4", "d404000010000000"],
  ["be64 %r4", "dc04000040000000"],
  ["swap32 %r4", "d704000020000000"],
  ["bswap32 %r4", "d704000020000000"],
  ["lddw %r1, 0x1122334455667788", "18010000887766550000000044332211"],
  ["lddw %r1, -1", "18010000ffffffff00000000ffffffff"],
  ["ldxb %r1, [%r2]", "7121000000000000"],
  ["ldxdw %r1, [%r10-8]", "79a1f8ff00000000"],
  ["ldxsh %r1, [%r2+0x10]", "8921100000000000"],
  ["stw [%r1+2], -2", "62010200feffffff"],
  ["stxh [%r1-32768], %r2", "6b21008000000000"],
  ["ja +1", "0500010000000000"],
  ["ja -2", "0500feff00000000"],
  ["ja32 +70000", "0600000070110100"],
  ["jsle32 %r1, -1, +3", "d6010300ffffffff"],
  ["jset %r1, %r2, +0", "4d21000000000000"],
  ["call 5", "8500000005000000"],
  ["call helper 5", "8500000005000000"],
  ["call local +2", "8510000002000000"],
  ["call runtime 7", "8520000007000000"],
  ["call %r2", "8d02000000000000"],
  ["exit", "9500000000000000"],
  ["lock add32 [%r1+4], %r2", "c321040000000000"],
  ["lock fetch xor [%r1+8], %r2", "db210800a1000000"],
  ["lock xchg [%r1+8], %r2", "db210800e1000000"],
  ["lock cmpxchg32 [%r1+8], %r2", "c3210800f1000000"],
  ["load_acquire16 %r1, [%r2+2]", "cb21020000010000"],
  ["store_release64 [%r1-8], %r2", "db21f8ff10010000"],
];

describe("assembler", () => {
  it.each(ENCODINGS)("encodes %s", (text, expected) => {
    expect(bytes(text)).toBe(expected);
  });

  it("resolves labels forward and backward, across the two slots of lddw", () => {
    const text = "top:\njeq %r1, 0, bottom\nlddw %r2, 1\nja top\nbottom:\nexit";
    expect(bytes(text)).toBe(
      "1501030000000000" +
        "1802000001000000" +
        "0000000000000000" +
        "0500fcff00000000" +
        "9500000000000000",
    );
  });

  it("labels the first exit, unless the text has a label of that name", () => {
    expect(bytes("jeq %r1, 0, exit\nexit\nexit")).toMatch(/^1501000000000000/);
    expect(bytes("jeq %r1, 0, exit\nexit\nexit:\nexit")).toMatch(/^1501010000000000/);
  });

  it("resolves the target of a local call and of ja32 into the immediate", () => {
    expect(bytes("call local f\nja32 end\nf:\nexit\nend:\nexit")).toMatch(
      /^85100000010000000600000001000000/,
    );
  });

  it("ignores comments, blank lines and extra space", () => {
    expect(bytes("# nothing\n\n  mov   %r0 ,  1   # one\n")).toBe(bytes("mov %r0, 1"));
  });

  it.each([
    ["exit\nfrob %r1", 2, "no such instruction"],
    ["mov %r16, 1", 1, "no register %r16"],
    ["mov %r1", 1, "takes 2 operands, not 1"],
    ["mov %r1, 0x100000000", 1, "out of range"],
    ["mov %r1, -2147483649", 1, "out of range"],
    ["mov %r1, 1x", 1, "no number 1x"],
    ["lddw %r1, 0x10000000000000000", 1, "out of range"],
    ["ldxw %r1, [%r2+32768]", 1, "no 16-bit offset"],
    ["ldxw %r1, %r2", 1, "no memory operand"],
    ["ja +32768", 1, "out of range"],
    ["exit\nja nowhere", 2, "no label nowhere"],
    ["a:\nexit\na:", 3, "label a defined twice"],
    ["call sideways 1", 1, "no kind of call sideways"],
    ["lock nand [%r1+0], %r2", 1, "no operation nand"],
    ["lock add %r1, %r2", 1, "no operation in"],
    ["ldxsdw %r1, [%r2]", 1, "no such instruction"],
  ])("refuses %j at its line", (text, line, problem) => {
    expect(() => assemble(text)).toThrow(problem);
    try {
      assemble(text);
    } catch (error) {
      expect(error).toBeInstanceOf(AssemblerError);
      expect((error as AssemblerError).line).toBe(line);
    }
  });

  it("refuses a label that a 16-bit offset cannot reach", () => {
    const far = `ja end\n${"mov %r0, 0\n".repeat(0x8000)}end:\nexit`;
    expect(() => assemble(far)).toThrow("use ja32");
    expect(() => assemble(far.replace("ja end", "ja32 end"))).not.toThrow();
  });
});
