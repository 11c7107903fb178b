/** Arithmetic: signed division, moves with sign extension and byte swaps are made of older parts. */
import { ALU, operation, usesSourceRegister } from "#wasm/engines/opcodes.ts";
import { CLASS, type Instruction } from "#wasm/loader/instructions.ts";
import { OP, type Operand } from "./image_writer.ts";
import { SITE } from "./sites.ts";
import type { LoweringContext } from "./ubpf_lowering.ts";

const BSWAP = CLASS.ALU64 | ALU.END;
const TO_BIG_ENDIAN = 0xdc;

export function lowerArithmetic(
  context: LoweringContext,
  slot: number,
  instruction: Instruction,
): void {
  const { writer } = context;
  const { opcode, dst, imm, offset } = instruction;
  const op = operation(instruction);
  if (opcode === BSWAP) {
    // WebAssembly is little-endian, where "to big endian" swaps.
    writer.emit(TO_BIG_ENDIAN, dst, 0, 0, imm);
    return;
  }
  if (offset === 0) {
    writer.copy(instruction);
    return;
  }
  if (op === ALU.DIV || op === ALU.MOD) {
    lowerSignedDivision(context, slot, instruction);
    return;
  }
  lowerSignExtension(context, instruction, (opcode & 7) === CLASS.ALU64 ? 64 : 32);
}

function lowerSignedDivision(
  context: LoweringContext,
  slot: number,
  instruction: Instruction,
): void {
  const { opcode, dst, src, imm } = instruction;
  const divisor: Operand = usesSourceRegister(instruction) ? { register: src } : { imm };
  const kind = operation(instruction) === ALU.DIV ? SITE.DIVIDE : SITE.MODULO;
  context.writer.privateCall({
    site: { kind, size: (opcode & 7) === CLASS.ALU64 ? 8 : 4 },
    moves: [
      [1, { register: dst }],
      [2, divisor],
    ],
    result: dst,
    preserve: context.live.after[slot]!,
  });
}

/** Shifts up to the top of the register and back down. */
function lowerSignExtension(
  context: LoweringContext,
  instruction: Instruction,
  bits: 32 | 64,
): void {
  const { dst, src, offset } = instruction;
  const by = bits - offset;
  const { writer } = context;
  writer.emit(bits === 64 ? OP.MOV64_X : OP.MOV32_X, dst, src);
  writer.emit(bits === 64 ? OP.LSH64_K : OP.LSH32_K, dst, 0, 0, by);
  writer.emit(bits === 64 ? OP.ARSH64_K : OP.ARSH32_K, dst, 0, 0, by);
}
