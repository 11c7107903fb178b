/**
 * Turns a linked program into an image that uBPF runs. This uBPF knows no version 4 instructions, no
 * callbacks, no references, compares and exchanges wrongly, counts nothing and does not say which
 * call of a helper failed; what it lacks becomes plain instructions or private calls (`sites.ts`).
 *
 * Layout: a prologue that starts the entry function or a callback, as the block behind r1 says, then
 * the functions in their order.
 */
import { analyseAccesses, type UnsureAccesses } from "#wasm/engines/access_analysis.ts";
import {
  type FunctionCode,
  type ProgramCode,
  refuse,
  takeApart,
} from "#wasm/engines/function_code.ts";
import { analyseLiveness, freeArgument, type Liveness } from "#wasm/engines/liveness.ts";
import { instructionClass } from "#wasm/engines/opcodes.ts";
import type { ResolvedReference } from "#wasm/engines/references.ts";
import { CLASS, OPCODE } from "#wasm/loader/instructions.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";
import { type FinishedImage, ImageWriter, OP } from "./image_writer.ts";
import { lowerArithmetic } from "./lower_arithmetic.ts";
import { lowerJump } from "./lower_jump.ts";
import { lowerMemory } from "./lower_memory.ts";
import { SITE } from "./sites.ts";

export interface Lowering extends FinishedImage {
  /** The slot where the program ends, if it is but one; else its last exit. */
  readonly endSlot: number;
}

/** What the lowering of one instruction sees. */
export interface LoweringContext {
  readonly writer: ImageWriter;
  readonly code: ProgramCode;
  readonly live: Liveness;
  readonly unsure: UnsureAccesses;
  readonly references: ReadonlyMap<number, ResolvedReference>;
  readonly poisoned: ReadonlySet<number>;
  /** The function being lowered is the program's entry. */
  entry: boolean;
}

const ENTRY_OFFSET = 40;

/**
 * `references` has an entry for every reference of the program, by slot; `callbacks` lists the slots
 * where callbacks start, in the order of their image entries 1, 2, ...; `secondArgument` is r2 at the
 * start, where there is one. Throws `VerifierError`.
 */
export function lower(
  program: LinkedProgram,
  references: ReadonlyMap<number, ResolvedReference>,
  callbacks: readonly number[],
  secondArgument?: number,
): Lowering {
  const code = takeApart(program);
  const slots = code.instructions.length;
  const named = new Map([...references].map(([slot, reference]) => [slot, reference.named]));
  const context: LoweringContext = {
    writer: new ImageWriter(program.name),
    code,
    live: { before: new Uint16Array(slots), after: new Uint16Array(slots) },
    unsure: analyseAccesses(code, named).unsure,
    references,
    poisoned: new Set(program.poisoned.map(({ slot }) => slot)),
    entry: true,
  };
  // Site 0: leaving the image, however deep.
  context.writer.addSite({ kind: SITE.UNWIND });
  writePrologue(context.writer, code, callbacks, secondArgument);
  code.functions.forEach((one, index) => {
    context.entry = index === 0;
    analyseLiveness(code, one, context.live);
    lowerFunction(context, one);
  });
  return { ...context.writer.finish(), endSlot: findEnd(code) };
}

/** r1 points at `struct start_block`: five arguments, then which function to start. */
function writePrologue(
  writer: ImageWriter,
  code: ProgramCode,
  callbacks: readonly number[],
  secondArgument: number | undefined,
): void {
  writer.slot = code.functions[0]!.start;
  if (callbacks.length > 0) {
    writer.emit(OP.LDXDW, 0, 1, ENTRY_OFFSET);
    writer.emit(OP.JNE_K, 0, 0, secondArgument === undefined ? 3 : 4, 0);
  }
  if (secondArgument !== undefined) writer.emit(OP.MOV64_K, 2, 0, 0, secondArgument);
  writer.emit(OP.LDXDW, 1, 1, 0);
  writer.callFunction(writer.slot);
  writer.emit(OPCODE.EXIT, 0);
  const startLength = 7;
  callbacks.forEach((_, index) => {
    // The jumps stand first, each over those that follow and over the starts before its own.
    const distance = callbacks.length - index - 1 + 1 + index * startLength;
    writer.emit(OP.JEQ_K, 0, 0, distance, index + 1);
  });
  if (callbacks.length > 0) writer.emit(OPCODE.EXIT, 0);
  for (const slot of callbacks) {
    for (const register of [5, 4, 3, 2, 1]) writer.emit(OP.LDXDW, register, 1, 8 * (register - 1));
    writer.callFunction(slot);
    writer.emit(OPCODE.EXIT, 0);
  }
}

function lowerFunction(context: LoweringContext, one: FunctionCode): void {
  const { writer, code, live } = context;
  writer.slot = one.start;
  writer.entry();
  if (!context.entry) enterFunction(context, one);
  let last = OPCODE.EXIT as number;
  for (let slot = one.start; slot < one.end; slot++) {
    const instruction = code.instructions[slot];
    if (instruction === undefined) continue;
    writer.slot = slot;
    writer.label();
    const loop = code.loops.get(slot);
    if (loop !== undefined) {
      const preserve = live.before[slot]!;
      writer.privateCall({ site: { kind: SITE.LOOP, value: loop }, moves: [], preserve });
    }
    lowerInstruction(context, slot);
    last = instruction.opcode;
  }
  // uBPF wants every function to end in an exit, even behind a jump.
  if (last !== OPCODE.EXIT) writer.emit(OPCODE.EXIT, 0);
}

/** Opens the frame and charges the function's length: see rt_function_enter. */
function enterFunction({ writer, live }: LoweringContext, one: FunctionCode): void {
  const preserve = live.before[one.start]!;
  const argument = freeArgument(preserve) ?? 5;
  writer.privateCall({
    site: { kind: SITE.FUNCTION, value: one.end - one.start, argument },
    moves: [[argument, { register: 10 }]],
    preserve,
  });
}

function lowerInstruction(context: LoweringContext, slot: number): void {
  const instruction = context.code.instructions[slot]!;
  switch (instructionClass(instruction)) {
    case CLASS.LD:
      lowerLoadImmediate(context, slot);
      break;
    case CLASS.LDX:
    case CLASS.ST:
    case CLASS.STX:
      lowerMemory(context, slot, instruction);
      break;
    case CLASS.ALU:
    case CLASS.ALU64:
      lowerArithmetic(context, slot, instruction);
      break;
    default:
      lowerJump(context, slot, instruction);
  }
}

function lowerLoadImmediate(context: LoweringContext, slot: number): void {
  const { writer, code, references } = context;
  const { dst, src, imm } = code.instructions[slot]!;
  const reference = references.get(slot);
  if (src !== 0 && reference === undefined) {
    throw refuse(code.program, slot, "64-bit immediate names nothing that is known here");
  }
  if (reference === undefined) writer.loadImmediate64(dst, imm, code.highImmediate(slot));
  else writer.loadImmediate64(dst, reference.address | 0, 0);
}

function findEnd(code: ProgramCode): number {
  const { start, end } = code.functions[0]!;
  let slot = end - 1;
  while (slot > start && code.instructions[slot]?.opcode !== OPCODE.EXIT) slot--;
  return slot;
}
