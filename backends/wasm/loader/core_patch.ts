/** Writes the value of a CO-RE relocation into its instruction, or poisons the instruction. */

import { CLASS, type Code, type Instruction, OPCODE } from "./instructions.ts";
import { POISON_HELPER } from "./linked_program.ts";

/** What a relocation comes to. Values are 64 unsigned bits. */
export interface CoreResult {
  /** What the compiler computed from its own types. */
  readonly compiled: bigint;
  readonly value: bigint;
  /** Whether the instruction must hold `compiled`; another value means a damaged object. */
  readonly certain: boolean;
  /** Sizes of the field in bytes, in both sets of types; 0 where it is no matter of size. */
  readonly compiledSize: number;
  readonly size: number;
  /** Whether a load or store may be made to access `size` bytes. */
  readonly resizable: boolean;
  /** Set where the instruction must not run: why. */
  readonly missing: string | undefined;
}

/** Bytes by the size field of an opcode (bits 3 and 4): W, H, B, DW. */
const SIZES = [4, 2, 1, 8];

/**
 * Patches the instruction at `slot`. Returns why it was poisoned, or undefined where it was not;
 * throws a plain message (`CorePatchError`) where the relocation does not fit the instruction.
 */
export function patchInstruction(code: Code, slot: number, result: CoreResult): string | undefined {
  if (result.missing !== undefined) {
    poison(code, slot);
    return result.missing;
  }
  const instruction = code.at(slot);
  switch (instruction.opcode & 7) {
    case CLASS.ALU:
    case CLASS.ALU64:
      patchImmediate(code, slot, instruction, result);
      return undefined;
    case CLASS.LDX:
    case CLASS.ST:
    case CLASS.STX:
      return patchOffset(code, slot, instruction, result);
    case CLASS.LD:
      patchLddw(code, slot, instruction, result);
      return undefined;
    default:
      throw new CorePatchError("it is on an instruction that is no load, store or arithmetic");
  }
}

/** The relocation does not fit the instruction that it is on. */
export class CorePatchError extends Error {}

function poison(code: Code, slot: number): void {
  const call = { opcode: OPCODE.CALL, dst: 0, src: 0, offset: 0, imm: POISON_HELPER };
  if (code.isLddw(slot)) code.set(slot + 1, call);
  code.set(slot, call);
}

function patchImmediate(
  code: Code,
  slot: number,
  instruction: Instruction,
  result: CoreResult,
): void {
  const { opcode, imm } = instruction;
  if ((opcode & 8) !== 0) throw new CorePatchError("it is on arithmetic without an immediate");
  check(result, BigInt(imm));
  code.setImm(slot, Number(BigInt.asIntN(32, result.value)));
}

function patchOffset(
  code: Code,
  slot: number,
  instruction: Instruction,
  result: CoreResult,
): string | undefined {
  check(result, BigInt(instruction.offset));
  if (result.value > 0x7fffn) {
    throw new CorePatchError(
      `it puts the field at ${result.value}, out of the instruction's reach`,
    );
  }
  const resized = result.size !== result.compiledSize;
  if (resized && !result.resizable) {
    poison(code, slot);
    return unresizable(result);
  }
  const opcode = resized ? resizedOpcode(instruction.opcode, result) : instruction.opcode;
  code.set(slot, { ...instruction, opcode, offset: Number(result.value) });
  return undefined;
}

function unresizable({ compiledSize, size }: CoreResult): string {
  if (size === 0) return "the field is a bit field in the kernel's types";
  return (
    `the field has ${size} bytes in the kernel's types, ${compiledSize} in the object's, ` +
    "and is neither a pointer nor unsigned"
  );
}

function resizedOpcode(opcode: number, { compiledSize, size }: CoreResult): number {
  const accessed = SIZES[(opcode >>> 3) & 3];
  if (accessed !== compiledSize) {
    throw new CorePatchError(
      `it is on an access of ${accessed} bytes to a field of ${compiledSize}`,
    );
  }
  const field = SIZES.indexOf(size);
  if (field < 0)
    throw new CorePatchError(`it needs an access of ${size} bytes, which does not exist`);
  return (opcode & ~0x18) | (field << 3);
}

function patchLddw(
  code: Code,
  slot: number,
  { src, offset }: Instruction,
  result: CoreResult,
): void {
  const second = code.isLddw(slot) ? code.at(slot + 1) : undefined;
  const whole = second?.opcode === 0 && second.dst === 0 && second.src === 0;
  if (second === undefined || !whole || second.offset !== 0 || src !== 0 || offset !== 0) {
    throw new CorePatchError("it is on a load that is no 64-bit immediate");
  }
  const low = BigInt(code.imm(slot) >>> 0);
  const high = BigInt(second.imm >>> 0);
  check(result, (high << 32n) | low);
  code.setImm(slot, Number(BigInt.asIntN(32, result.value)));
  code.setImm(slot + 1, Number(BigInt.asIntN(32, result.value >> 32n)));
}

function check({ certain, compiled }: CoreResult, found: bigint): void {
  if (!certain || BigInt.asUintN(64, found) === compiled) return;
  throw new CorePatchError(`it is on an instruction that holds ${found}, not ${compiled}`);
}
