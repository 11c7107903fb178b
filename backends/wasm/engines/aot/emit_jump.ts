/** Conditions, calls and exits. */

import { refuse } from "#wasm/engines/function_code.ts";
import { instructionClass, operation, usesSourceRegister } from "#wasm/engines/opcodes.ts";
import { FAULT } from "#wasm/faults.ts";
import { CALL_SOURCE, CLASS, type Instruction, OPCODE } from "#wasm/loader/instructions.ts";
import { POISON_HELPER } from "#wasm/loader/linked_program.ts";
import { emitInlineHelper } from "./emit_inline_helper.ts";
import {
  access,
  call,
  constant32,
  constant64,
  type FunctionContext,
  fault,
  getLocal,
  getRegister,
  restoreBudget,
  saveBudget,
  setLocal,
  setRegister,
  storeSite,
  teeLocal,
} from "./function_context.ts";
import { TYPE, WASM } from "./wasm_opcodes.ts";

export const TAIL_CALL = 12;
/** Helpers that run a callback; each takes at most four arguments, so r5 carries r10. */
const CALLBACK_HELPERS: ReadonlySet<number> = new Set([
  164, // bpf_for_each_map_elem
  181, // bpf_loop
  209, // bpf_user_ringbuf_drain
]);

const JSET = 0x40;
const COMPARISON: Readonly<Record<number, readonly [wide: number, narrow: number]>> = {
  16: [WASM.i64_eq, WASM.i32_eq],
  32: [WASM.i64_gt_u, WASM.i32_gt_u],
  48: [WASM.i64_ge_u, WASM.i32_ge_u],
  80: [WASM.i64_ne, WASM.i32_ne],
  96: [WASM.i64_gt_s, WASM.i32_gt_s],
  112: [WASM.i64_ge_s, WASM.i32_ge_s],
  160: [WASM.i64_lt_u, WASM.i32_lt_u],
  176: [WASM.i64_le_u, WASM.i32_le_u],
  192: [WASM.i64_lt_s, WASM.i32_lt_s],
  208: [WASM.i64_le_s, WASM.i32_le_s],
};

/** Leaves an i32 that is not 0 where the jump is taken. */
export function emitCondition(context: FunctionContext, instruction: Instruction): void {
  const { out } = context;
  const { opcode, dst, src, imm } = instruction;
  if (opcode === OPCODE.MAY_GOTO) {
    countRound(context);
    return;
  }
  const wide = instructionClass(instruction) === CLASS.JMP;
  const value = (register: number): void => {
    getRegister(context, register);
    if (!wide) out.byte(WASM.i32_wrap_i64);
  };
  value(dst);
  if (usesSourceRegister(instruction)) value(src);
  else if (wide) constant64(context, imm);
  else constant32(context, imm);
  const op = operation(instruction);
  if (op !== JSET) {
    out.byte(COMPARISON[op]![wide ? 0 : 1]);
    return;
  }
  out.byte(wide ? WASM.i64_and : WASM.i32_and);
  if (!wide) return;
  constant64(context, 0);
  out.byte(WASM.i64_ne);
}

/** may_goto jumps once a function has passed it, wherever, so many times; then the rounds are over. */
export const MAY_GOTO_ROUNDS = 8 * 1024 * 1024;

function countRound(context: FunctionContext): void {
  const { out, locals } = context;
  getLocal(context, locals.mayGoto);
  teeLocal(context, locals.address32);
  getLocal(context, locals.address32);
  constant32(context, 0);
  out.byte(WASM.i32_ne);
  out.byte(WASM.i32_sub);
  setLocal(context, locals.mayGoto);
  getLocal(context, locals.address32);
  out.byte(WASM.i32_eqz);
}

export function emitExit(context: FunctionContext, slot: number): void {
  saveBudget(context);
  // What the run still holds is found when it ends: here.
  if (context.entry) storeSite(context, slot);
  getRegister(context, 0);
  context.out.byte(WASM.return);
}

export function emitCall(context: FunctionContext, slot: number, instruction: Instruction): void {
  const { code, functions } = context;
  const { opcode, src, imm } = instruction;
  context.checked.forgetAll();
  if (opcode === OPCODE.CALLX) {
    callByRegister(context, slot, instruction);
  } else if (src === CALL_SOURCE.LOCAL) {
    saveBudget(context);
    // For the fault when the calls are too deep.
    storeSite(context, slot);
    callSubprogram(context, slot + 1 + imm);
    restoreBudget(context);
  } else if (src !== CALL_SOURCE.HELPER) {
    throw refuse(code.program, slot, `call of kernel function ${imm}, which is unknown here`);
  } else if (context.poisoned.has(slot) || imm >= POISON_HELPER) {
    fault(context, FAULT.poisoned, slot);
  } else if (imm === TAIL_CALL) {
    tailCall(context, slot);
  } else if (CALLBACK_HELPERS.has(imm)) {
    getRegister(context, 10);
    call(context, functions.setCallerFrame);
    saveBudget(context);
    callHelper(context, slot, imm);
    restoreBudget(context);
  } else {
    callHelper(context, slot, imm);
  }
}

function callSubprogram(context: FunctionContext, target: number): void {
  for (let register = 1; register <= 5; register++) getRegister(context, register);
  getRegister(context, 10);
  constant64(context, -512);
  context.out.byte(WASM.i64_add);
  call(context, context.functions.subprograms.get(target)!);
  setRegister(context, 0);
}

function callHelper(context: FunctionContext, slot: number, id: number): void {
  preemptionPoint(context);
  const callOut = (): void => callRuntime(context, slot, id);
  if (!emitInlineHelper(context, slot, id, callOut)) callOut();
}

function callRuntime(context: FunctionContext, slot: number, id: number): void {
  storeSite(context, slot);
  for (let register = 1; register <= 5; register++) getRegister(context, register);
  call(context, context.functions.helpers.get(id)!);
  setRegister(context, 0);
}

/** rt_preemption_point, in place. */
function preemptionPoint(context: FunctionContext): void {
  const { out, locals, addresses, functions } = context;
  constant32(context, 0);
  access(context, WASM.i32_load, 2, addresses.preemptionCountdown);
  teeLocal(context, locals.address32);
  out.byte(WASM.if);
  out.byte(TYPE.none);
  constant32(context, 0);
  getLocal(context, locals.address32);
  constant32(context, 1);
  out.byte(WASM.i32_sub);
  teeLocal(context, locals.address32);
  access(context, WASM.i32_store, 2, addresses.preemptionCountdown);
  getLocal(context, locals.address32);
  out.byte(WASM.i32_eqz);
  out.byte(WASM.if);
  out.byte(TYPE.none);
  call(context, functions.preempt);
  out.byte(WASM.end);
  out.byte(WASM.end);
}

function callByRegister(context: FunctionContext, slot: number, { dst }: Instruction): void {
  getRegister(context, 10);
  call(context, context.functions.setCallerFrame);
  saveBudget(context);
  preemptionPoint(context);
  storeSite(context, slot);
  for (let register = 1; register <= 5; register++) getRegister(context, register);
  getRegister(context, dst);
  call(context, context.functions.callByNumber);
  setRegister(context, 0);
  restoreBudget(context);
}

/**
 * A granted tail call returns 0. The runtime starts the target when the entry function returns; in a
 * subprogram the target takes its frame, and its result is the subprogram's.
 */
function tailCall(context: FunctionContext, slot: number): void {
  const { out, entry, functions } = context;
  callHelper(context, slot, TAIL_CALL);
  getRegister(context, 0);
  out.byte(WASM.i64_eqz);
  out.byte(WASM.if);
  out.byte(TYPE.none);
  saveBudget(context);
  if (entry) {
    getRegister(context, 0);
  } else {
    getRegister(context, 10);
    call(context, functions.tailCallInFrame);
  }
  out.byte(WASM.return);
  out.byte(WASM.end);
}
