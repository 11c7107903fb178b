/**
 * Comparisons. uBPF takes them as they are, except that it refuses r10 on their left side, which the
 * specification and the kernel allow.
 */
import { operation, usesSourceRegister } from "#wasm/engines/opcodes.ts";
import { FRAME_POINTER, type Instruction, OPCODE } from "#wasm/loader/instructions.ts";
import { type ImageWriter, OP, scratchOffset } from "./image_writer.ts";

/** Codes of comparisons (high four bits), and what they become when their sides are exchanged. */
const EXCHANGED: ReadonlyMap<number, number> = new Map([
  [0x10, 0x10], // ==
  [0x40, 0x40], // &
  [0x50, 0x50], // !=
  [0x20, 0xa0], // >  <
  [0xa0, 0x20],
  [0x30, 0xb0], // >= <=
  [0xb0, 0x30],
  [0x60, 0xc0], // signed
  [0xc0, 0x60],
  [0x70, 0xd0],
  [0xd0, 0x70],
]);
/** Comparisons that hold between a number that is not zero and itself. */
const REFLEXIVE: ReadonlySet<number> = new Set([0x10, 0x30, 0x40, 0x70, 0xb0, 0xd0]);

const JUMP_ALWAYS: Instruction = { opcode: OPCODE.JA, dst: 0, src: 0, offset: 0, imm: 0 };

/** A conditional jump to `target`, a slot of the original program. */
export function lowerComparison(
  writer: ImageWriter,
  instruction: Instruction,
  target: number,
): void {
  const { opcode, dst, src } = instruction;
  if (dst !== FRAME_POINTER) {
    writer.jump(instruction, target);
  } else if (!usesSourceRegister(instruction)) {
    compareFramePointer(writer, instruction, target);
  } else if (src === FRAME_POINTER) {
    if (REFLEXIVE.has(operation(instruction))) writer.jump(JUMP_ALWAYS, target);
  } else {
    const exchanged = (opcode & 0x0f) | EXCHANGED.get(operation(instruction))!;
    writer.jump({ ...instruction, opcode: exchanged, dst: src, src: FRAME_POINTER }, target);
  }
}

/** r0 stands in for r10, and gets its value back on either way. */
function compareFramePointer(writer: ImageWriter, instruction: Instruction, target: number): void {
  const home = scratchOffset(0);
  writer.emit(OP.STXDW, FRAME_POINTER, 0, home);
  writer.emit(OP.MOV64_X, 0, FRAME_POINTER);
  writer.emit(instruction.opcode, 0, 0, 2, instruction.imm);
  writer.emit(OP.LDXDW, 0, FRAME_POINTER, home);
  writer.emit(OPCODE.JA, 0, 0, 2);
  writer.emit(OP.LDXDW, 0, FRAME_POINTER, home);
  writer.jump(JUMP_ALWAYS, target);
}
