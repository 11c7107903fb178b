/**
 * Loads, stores and atomics. Where the analysis is not sure of an access, a private call checks it
 * first: uBPF's own check knows neither reads from writes nor the address's high half nor alignment.
 */
import { freeArgument } from "#wasm/engines/liveness.ts";
import { ATOMIC, accessSize, instructionClass, MODE, mode } from "#wasm/engines/opcodes.ts";
import { CLASS, type Instruction } from "#wasm/loader/instructions.ts";
import { OP } from "./image_writer.ts";
import { SITE } from "./sites.ts";
import type { LoweringContext } from "./ubpf_lowering.ts";

const LDX = CLASS.LDX | MODE.MEM;
const STX = CLASS.STX | MODE.MEM;

export function lowerMemory(
  context: LoweringContext,
  slot: number,
  instruction: Instruction,
): void {
  const kind = instructionClass(instruction) === CLASS.LDX ? SITE.CHECK_LOAD : SITE.CHECK_STORE;
  switch (mode(instruction)) {
    case MODE.ATOMIC:
      lowerAtomic(context, slot, instruction);
      break;
    case MODE.MEMSX:
      check(context, slot, instruction, kind);
      loadSigned(context, instruction);
      break;
    default:
      check(context, slot, instruction, kind);
      context.writer.copy(instruction);
  }
}

function check(
  context: LoweringContext,
  slot: number,
  instruction: Instruction,
  kind: number,
): void {
  if (!context.unsure.has(slot)) return;
  const reads = kind === SITE.CHECK_LOAD || kind === SITE.CHECK_ACQUIRE;
  const base = reads ? instruction.src : instruction.dst;
  const preserve = context.live.before[slot]!;
  const argument = base >= 1 && base <= 5 ? base : (freeArgument(preserve) ?? 5);
  context.writer.privateCall({
    site: { kind, argument, offset: instruction.offset, size: accessSize(instruction) },
    moves: [[argument, { register: base }]],
    preserve,
  });
}

function loadSigned({ writer }: LoweringContext, instruction: Instruction): void {
  const { dst, src, offset } = instruction;
  const shift = 64 - 8 * accessSize(instruction);
  writer.emit(LDX | (instruction.opcode & 0x18), dst, src, offset);
  writer.emit(OP.LSH64_K, dst, 0, 0, shift);
  writer.emit(OP.ARSH64_K, dst, 0, 0, shift);
}

function lowerAtomic(context: LoweringContext, slot: number, instruction: Instruction): void {
  const { writer } = context;
  const { opcode, dst, src, offset, imm } = instruction;
  switch (imm) {
    case ATOMIC.LOAD_ACQUIRE:
      // One thread: an ordinary load, in order by itself.
      check(context, slot, instruction, SITE.CHECK_ACQUIRE);
      writer.emit(LDX | (opcode & 0x18), dst, src, offset);
      break;
    case ATOMIC.STORE_RELEASE:
      check(context, slot, instruction, SITE.CHECK_ATOMIC);
      writer.emit(STX | (opcode & 0x18), dst, src, offset);
      break;
    case ATOMIC.CMPXCHG:
      // uBPF compares with the new value and returns a flag.
      writer.privateCall({
        site: { kind: SITE.COMPARE_EXCHANGE, offset, size: accessSize(instruction) },
        moves: [
          [1, { register: dst }],
          [2, { register: 0 }],
          [3, { register: src }],
        ],
        result: 0,
        preserve: context.live.after[slot]!,
      });
      break;
    default:
      check(context, slot, instruction, SITE.CHECK_ATOMIC);
      writer.copy(instruction);
  }
}
