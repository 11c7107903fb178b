import { describe, expect, it } from "vitest";
import { CaseFileError, parseCase } from "#property-tests/isa/case_file.ts";

const EXIT = [0x95, 0, 0, 0, 0, 0, 0, 0];

describe("case file", () => {
  it("reads asm, mem and a decimal or hex result", () => {
    const read = parseCase(
      "a/b",
      "# title\n-- mem\n01 02\nff # end\n-- asm\r\nexit\r\n-- result\n0x1f\n",
    );
    expect(read).toEqual({
      name: "a/b",
      memory: Uint8Array.of(1, 2, 255),
      program: Uint8Array.from(EXIT),
      expected: { r0: 31n },
      kernelDiffers: undefined,
    });
    const maximum = "-- asm\nexit\n-- result\n18446744073709551615";
    expect(parseCase("x", maximum).expected).toEqual({ r0: 2n ** 64n - 1n });
  });

  it("reads raw 64-bit words, in hex or decimal", () => {
    const { program } = parseCase("x", "-- raw\n0x00000005000000b7\n149\n-- result\n5");
    expect([...program]).toEqual([0xb7, 0, 0, 0, 5, 0, 0, 0, ...EXIT]);
  });

  it("reads eight pairs of digits on a raw line as bytes", () => {
    const { program, expected } = parseCase("x", "-- raw\n85 01 00 00 10 00 00 00\n-- error\n");
    expect([...program]).toEqual([0x85, 1, 0, 0, 0x10, 0, 0, 0]);
    expect(expected).toEqual({ error: "" });
  });

  it("takes the last line of result and error, and knows sections without meaning here", () => {
    const text = "-- asm\nexit\n-- error\nfirst\nsecond\n-- no register offset\nx\n-- c\nint f();";
    expect(parseCase("x", text).expected).toEqual({ error: "second" });
  });

  it("reads why the kernel refuses or runs what it should not", () => {
    const text = "# kernel: rejects, invalid shift\n# kernel: accepts, no check\n-- asm\nexit\n";
    expect(parseCase("x", `${text}-- result\n0`).kernelDiffers).toBe("invalid shift");
    expect(parseCase("x", `${text}-- error\n`).kernelDiffers).toBe("no check");
  });

  it("compares raw with asm where both are given", () => {
    const both = (word: string) => `-- asm\nexit\n-- raw\n${word}\n-- result\n0`;
    expect([...parseCase("x", both("0x95")).program]).toEqual(EXIT);
    expect(() => parseCase("x", both("0x96"))).toThrow("x.data:4");
  });

  it.each([
    ["exit\n-- result\n0", "x.data:1: text before the first section"],
    ["-- frob\nexit", "x.data:1: no section is called -- frob"],
    ["-- asm\nexit", "x.data:1: needs a result or an error section"],
    ["-- asm\nexit\n-- result\n1\n-- error\nx", "needs a result or an error section, not both"],
    ["-- result\n0", "needs an asm or a raw section"],
    ["-- asm\nexit\n-- result\n-1", "x.data:4: -1 is no unsigned 64-bit number"],
    ["-- asm\nexit\n-- mem\n1ff\n-- result\n0", "x.data:4: 1ff is no byte"],
    ["# t\n\n-- asm\nmov %r0, 0\n\nfrob\nexit\n-- result\n0", "x.data:6: line 6: frob"],
  ])("refuses %j, naming file and line", (text, problem) => {
    expect(() => parseCase("x", text)).toThrow(CaseFileError);
    expect(() => parseCase("x", text)).toThrow(problem);
  });
});
