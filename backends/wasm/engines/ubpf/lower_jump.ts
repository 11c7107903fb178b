/** Jumps, calls and exits. */
import { refuse } from "#wasm/engines/function_code.ts";
import { CALL_SOURCE, type Instruction, OPCODE } from "#wasm/loader/instructions.ts";
import { POISON_HELPER } from "#wasm/loader/linked_program.ts";
import { OP } from "./image_writer.ts";
import { lowerComparison } from "./lower_comparison.ts";
import { SITE } from "./sites.ts";
import type { LoweringContext } from "./ubpf_lowering.ts";

const TAIL_CALL = 12;
/** Helpers that run a callback; each takes at most four arguments, so r5 carries r10. */
const CALLBACK_HELPERS: ReadonlySet<number> = new Set([
  164, // bpf_for_each_map_elem
  181, // bpf_loop
  209, // bpf_user_ringbuf_drain
]);
const ARGUMENTS = 0b111110;

export function lowerJump(context: LoweringContext, slot: number, instruction: Instruction): void {
  const { writer } = context;
  const { opcode, offset, imm } = instruction;
  switch (opcode) {
    case OPCODE.EXIT:
      writer.copy(instruction);
      return;
    case OPCODE.CALL:
      lowerCall(context, slot, instruction);
      return;
    case OPCODE.CALLX:
      callByRegister(context, slot, instruction);
      return;
    case OPCODE.JA:
      writer.jump(instruction, slot + 1 + offset);
      return;
    case OPCODE.JA32:
      writer.jump({ opcode: OPCODE.JA, dst: 0, src: 0, offset: 0, imm: 0 }, slot + 1 + imm);
      return;
    case OPCODE.MAY_GOTO:
      // The kernel leaves the loop after some eight million rounds; the budget ends before that.
      return;
  }
  lowerComparison(writer, instruction, slot + 1 + offset);
}

function lowerCall(context: LoweringContext, slot: number, instruction: Instruction): void {
  const { writer, code } = context;
  const { src, imm } = instruction;
  if (src === CALL_SOURCE.LOCAL) {
    const target = slot + 1 + imm;
    if (!code.functions.some(({ start }) => start === target)) {
      throw refuse(code.program, slot, `call of slot ${target}, where no function starts`);
    }
    writer.callFunction(target);
  } else if (src !== CALL_SOURCE.HELPER) {
    throw refuse(code.program, slot, `call of kernel function ${imm}, which is unknown here`);
  } else if (context.poisoned.has(slot) || imm >= POISON_HELPER) {
    writer.callSite({ kind: SITE.POISON });
  } else if (imm === TAIL_CALL) {
    tailCall(context);
  } else if (CALLBACK_HELPERS.has(imm)) {
    writer.emit(OP.MOV64_X, 5, 10);
    writer.callSite({ kind: SITE.CALLBACK_HELPER, value: imm });
  } else {
    writer.callSite({ kind: SITE.HELPER, value: imm });
  }
}

/** A granted tail call returns 0: then the entry function is left, or the subprogram replaced. */
function tailCall({ writer, entry }: LoweringContext): void {
  writer.callSite({ kind: SITE.TAIL_CALL, value: TAIL_CALL });
  if (entry) {
    writer.emit(OP.JNE_K, 0, 0, 1, 0);
    writer.emit(OPCODE.CALL, 0, CALL_SOURCE.HELPER, 0, SITE.UNWIND);
    return;
  }
  writer.emit(OP.JNE_K, 0, 0, 3, 0);
  writer.emit(OP.MOV64_X, 5, 10);
  writer.callSite({ kind: SITE.TAIL_CALL_IN_FRAME });
  writer.emit(OPCODE.EXIT, 0);
}

/** The number goes ahead in a call of its own: all of r1 to r5 belong to the helper. */
function callByRegister(
  { writer, live }: LoweringContext,
  slot: number,
  { dst }: Instruction,
): void {
  writer.privateCall({
    site: { kind: SITE.REGISTER_NUMBER },
    moves: [[1, { register: dst }]],
    preserve: ARGUMENTS | live.after[slot]!,
  });
  writer.callSite({ kind: SITE.REGISTER_CALL });
}
