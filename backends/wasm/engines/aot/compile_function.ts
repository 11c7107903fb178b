/** One BPF function as the body of a wasm function. */

import { refuse } from "#wasm/engines/function_code.ts";
import { instructionClass, jumpDistance } from "#wasm/engines/opcodes.ts";
import { FAULT } from "#wasm/faults.ts";
import { CLASS, type Instruction, OPCODE } from "#wasm/loader/instructions.ts";
import { ByteWriter } from "./byte_writer.ts";
import { CheckedAccesses } from "./checked_accesses.ts";
import { type BasicBlock, type ControlFlow, controlFlow } from "./control_flow.ts";
import { emitArithmetic } from "./emit_arithmetic.ts";
import { findTask, readsTask } from "./emit_inline_helper.ts";
import { emitCall, emitCondition, emitExit, MAY_GOTO_ROUNDS } from "./emit_jump.ts";
import { emitMemory } from "./emit_memory.ts";
import { probeBlock, probeJump, probeStep, probeTailCall } from "./emit_probes.ts";
import {
  call,
  constant32,
  constant64,
  type FunctionContext,
  fault,
  getLocal,
  getRegister,
  type Locals,
  restoreBudget,
  setLocal,
  setRegister,
} from "./function_context.ts";
import { makeReducible } from "./reducible.ts";
import { type NodeCode, writeStructured } from "./structured_code.ts";
import { TYPE, WASM } from "./wasm_opcodes.ts";

/** Parameters: program, r1, r10. */
const ENTRY_PARAMETERS = 3;
const ENTRY_LOCALS = layout([3, 1, 4, 5, 6, 7, 8, 9, 10, 11, 2]);
/** Parameters: r1 to r5, r10. */
const SUBPROGRAM_PARAMETERS = 6;
const SUBPROGRAM_LOCALS = layout([6, 0, 1, 2, 3, 4, 7, 8, 9, 10, 5]);
const WIDE_SCRATCH = 3;
const NARROW_SCRATCH = 4;

function layout(registers: readonly number[]): Locals {
  const next = Math.max(...registers) + 1;
  return {
    registers,
    budget: next,
    address64: next + 1,
    value64: next + 2,
    address32: next + 3,
    route: next + 4,
    mayGoto: next + 5,
    task: next + 6,
  };
}

export type FunctionRequest = Omit<
  FunctionContext,
  "out" | "locals" | "checked" | "countsBudget"
> & {
  /** r2 at the start of an entry; 0 unless given. */
  readonly secondArgument: number;
};

/** Locals and instructions, as they stand in the code section. Throws `VerifierError`. */
export function compileFunction(request: FunctionRequest): ByteWriter {
  const { code, one, entry, secondArgument } = request;
  const out = new ByteWriter();
  const context: FunctionContext = {
    ...request,
    out,
    locals: entry ? ENTRY_LOCALS : SUBPROGRAM_LOCALS,
    checked: new CheckedAccesses(),
    countsBudget: hasLoops(request),
  };
  const parameters = entry ? ENTRY_PARAMETERS : SUBPROGRAM_PARAMETERS;
  out.u32(2);
  out.u32(context.locals.budget - parameters + WIDE_SCRATCH);
  out.byte(TYPE.i64);
  out.u32(NARROW_SCRATCH);
  out.byte(TYPE.i32);
  if (entry) {
    constant64(context, secondArgument);
    setRegister(context, 2);
  } else {
    enter(context);
  }
  if (usesMayGoto(request)) {
    constant32(context, MAY_GOTO_ROUNDS);
    setLocal(context, context.locals.mayGoto);
  }
  if (readsTask(context)) findTask(context);
  restoreBudget(context);
  const flow = controlFlow(code, one);
  writeStructured(makeReducible(flow.successors), new BlockCode(context, flow), out);
  out.byte(WASM.end);
  return out;
}

function hasLoops({ code, one }: FunctionRequest): boolean {
  for (const head of code.loops.keys()) if (head >= one.start && head < one.end) return true;
  return false;
}

function usesMayGoto({ code, one }: FunctionRequest): boolean {
  for (let slot = one.start; slot < one.end; slot++) {
    if (code.instructions[slot]?.opcode === OPCODE.MAY_GOTO) return true;
  }
  return false;
}

/** Opens the frame and charges the function's length: see rt_function_enter. */
function enter(context: FunctionContext): void {
  const { one, functions } = context;
  getRegister(context, 10);
  constant32(context, one.end - one.start);
  call(context, functions.functionEnter);
}

class BlockCode implements NodeCode {
  readonly #context: FunctionContext;
  readonly #flow: ControlFlow;

  constructor(context: FunctionContext, flow: ControlFlow) {
    this.#context = context;
    this.#flow = flow;
  }

  #block(node: number): BasicBlock {
    return this.#flow.blocks[node]!;
  }

  body(node: number): void {
    const context = this.#context;
    const { start, end } = this.#block(node);
    context.checked.forgetAll();
    const cost = start < end ? context.code.loops.get(start) : undefined;
    if (cost !== undefined) charge(context, start, cost);
    if (start < end) probeBlock(context, start);
    for (let slot = start; slot < end; slot++) {
      const instruction = context.code.instructions[slot];
      if (instruction === undefined) continue;
      probeStep(context, slot);
      emitInstruction(context, slot, instruction);
      probeTailCall(context, slot, end);
    }
  }

  condition(node: number): void {
    const { terminator } = this.#block(node);
    emitCondition(this.#context, this.#context.code.instructions[terminator!]!);
    probeJump(this.#context, terminator!);
  }

  leave(node: number): void {
    emitExit(this.#context, this.#block(node).terminator!);
  }

  setRoute(route: number): void {
    constant32(this.#context, route);
    setLocal(this.#context, this.#context.locals.route);
  }

  routeIs(route: number): void {
    getLocal(this.#context, this.#context.locals.route);
    constant32(this.#context, route);
    this.#context.out.byte(WASM.i32_eq);
  }
}

/** At the head of a loop: takes the loop's length off the budget. */
function charge(context: FunctionContext, slot: number, cost: number): void {
  const { out, locals } = context;
  getLocal(context, locals.budget);
  constant64(context, cost);
  out.byte(WASM.i64_lt_u);
  out.byte(WASM.if);
  out.byte(TYPE.none);
  fault(context, FAULT.budget, slot);
  out.byte(WASM.end);
  getLocal(context, locals.budget);
  constant64(context, cost);
  out.byte(WASM.i64_sub);
  setLocal(context, locals.budget);
}

function emitInstruction(context: FunctionContext, slot: number, instruction: Instruction): void {
  switch (instructionClass(instruction)) {
    case CLASS.LD:
      loadImmediate(context, slot, instruction);
      break;
    case CLASS.LDX:
    case CLASS.ST:
    case CLASS.STX:
      emitMemory(context, slot, instruction);
      break;
    case CLASS.ALU:
    case CLASS.ALU64:
      emitArithmetic(context, instruction);
      break;
    default:
      // Jumps and exits end blocks: the graph's business.
      if (jumpDistance(instruction) === undefined && instruction.opcode !== OPCODE.EXIT) {
        emitCall(context, slot, instruction);
      }
  }
}

function loadImmediate(context: FunctionContext, slot: number, instruction: Instruction): void {
  const { code, references, out } = context;
  const { dst, src, imm } = instruction;
  const address = references.get(slot);
  if (src !== 0 && address === undefined) {
    throw refuse(code.program, slot, "64-bit immediate names nothing that is known here");
  }
  out.byte(WASM.i64_const);
  if (address === undefined) out.s64(imm, code.highImmediate(slot));
  else out.s64(address, 0);
  setRegister(context, dst);
}
