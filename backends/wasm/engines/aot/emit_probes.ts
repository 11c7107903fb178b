/** The hooks of tracing and coverage in compiled code. Without probes, nothing is emitted. */
import { CALL_SOURCE, type Instruction, OPCODE } from "#wasm/loader/instructions.ts";
import { TAIL_CALL } from "./emit_jump.ts";
import {
  access,
  call,
  constant32,
  constant64,
  type FunctionContext,
  getLocal,
  getRegister,
  setLocal,
} from "./function_context.ts";
import { WASM } from "./wasm_opcodes.ts";

const REGISTERS = 11;
const COUNTER_BYTES = 8;

/** What a module's code tells, and by which function. */
export interface CodeProbes {
  readonly step: { readonly functionIndex: number; readonly registers: number } | undefined;
  /** Address of the counters; see `ProgramProbes`. */
  readonly counters: number | undefined;
}

/** Before the instruction at `slot`. */
export function probeStep(context: FunctionContext, slot: number): void {
  const step = context.probes?.step;
  if (step === undefined) return;
  for (let register = 0; register < REGISTERS; register++) {
    constant32(context, 0);
    getRegister(context, register);
    access(context, WASM.i64_store, 3, step.registers + 8 * register);
  }
  constant32(context, slot);
  call(context, step.functionIndex);
}

/** At the start of a basic block. */
export function probeBlock(context: FunctionContext, slot: number): void {
  const counters = context.probes?.counters;
  if (counters === undefined) return;
  const counter = counters + COUNTER_BYTES * slot;
  loadCounter(context, counter);
  constant64(context, 1);
  storeSum(context, counter);
}

/** A tail call may not come back: what follows in its block, which ends before `end`, is counted apart. */
export function probeTailCall(context: FunctionContext, slot: number, end: number): void {
  const instruction = context.code.instructions[slot]!;
  if (slot + 1 < end && isTailCall(instruction)) probeBlock(context, slot + 1);
}

export function isTailCall({ opcode, src, imm }: Instruction): boolean {
  return opcode === OPCODE.CALL && src === CALL_SOURCE.HELPER && imm === TAIL_CALL;
}

/** After the condition of the jump at `slot`, which stays on the stack. */
export function probeJump(context: FunctionContext, slot: number): void {
  const counters = context.probes?.counters;
  if (counters === undefined) return;
  const { out, code, locals } = context;
  const counter = counters + COUNTER_BYTES * (code.instructions.length + slot);
  setLocal(context, locals.address32);
  loadCounter(context, counter);
  getLocal(context, locals.address32);
  constant32(context, 0);
  out.byte(WASM.i32_ne);
  out.byte(WASM.i64_extend_i32_u);
  storeSum(context, counter);
  getLocal(context, locals.address32);
}

/** Bytes of the counters of a program of so many slots. */
export function counterBytes(slots: number): number {
  return 2 * COUNTER_BYTES * slots;
}

function loadCounter(context: FunctionContext, address: number): void {
  constant32(context, 0);
  constant32(context, 0);
  access(context, WASM.i64_load, 3, address);
}

function storeSum(context: FunctionContext, address: number): void {
  context.out.byte(WASM.i64_add);
  access(context, WASM.i64_store, 3, address);
}
