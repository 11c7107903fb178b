import { describe, expect, it } from "vitest";
import { assemble } from "#property-tests/isa/assembler.ts";
import { decode } from "#property-tests/isa/encoding.ts";
import { hideConstants } from "#property-tests/isa/opaque_constants.ts";

function opcodesAndTargets(program: Uint8Array): string[] {
  return decode(program).map(({ opcode, src, offset, imm }, slot) => {
    const field = opcode === 0x06 || (opcode === 0x85 && src === 1) ? imm : offset;
    return `${slot}: 0x${opcode.toString(16)} -> ${slot + 1 + field}`;
  });
}

describe("hiding constants", () => {
  it("replaces lddw and mov by loads, in order, and nothing else", () => {
    const { program, constants } = hideConstants(
      assemble("mov %r1, -2\nlddw %r2, 0x1122334455667788\nmov32 %r3, 5\nadd %r1, 7\nexit"),
    );
    expect([...new BigUint64Array(constants.buffer as ArrayBuffer)]).toEqual([
      2n ** 64n - 2n,
      0x1122334455667788n,
    ]);
    const slots = decode(program).map(({ opcode, dst, src, imm }) => [opcode, dst, src, imm]);
    expect(slots).toEqual([
      [0x18, 1, 2, 0],
      [0, 0, 0, 0],
      [0x79, 1, 1, 0],
      [0x18, 2, 2, 0],
      [0, 0, 0, 8],
      [0x79, 2, 2, 0],
      [0xb4, 3, 0, 5],
      [0x07, 1, 0, 7],
      [0x95, 0, 0, 0],
    ]);
  });

  it("keeps the targets of jumps and calls, forward, backward and over what grew", () => {
    const text =
      "top:\nmov %r0, 1\njeq %r0, 2, end\nja top\nend:\nja32 top\ncall local f\nexit\nf:\nexit";
    // Slot 0 grows to three: what stood at n > 0 now stands at n + 2.
    expect(opcodesAndTargets(hideConstants(assemble(text)).program).slice(3)).toEqual([
      "3: 0x15 -> 5",
      "4: 0x5 -> 0",
      "5: 0x6 -> 0",
      "6: 0x85 -> 8",
      "7: 0x95 -> 8",
      "8: 0x95 -> 9",
    ]);
  });
});
