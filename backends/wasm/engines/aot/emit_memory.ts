/** Loads, stores and atomics. Memory is not shared, so atomics are reads and writes. */
import { ATOMIC, accessSize, instructionClass, MODE, mode } from "#wasm/engines/opcodes.ts";
import { CLASS, type Instruction } from "#wasm/loader/instructions.ts";
import {
  access,
  branchIf,
  call,
  constant32,
  constant64,
  type FunctionContext,
  getLocal,
  getRegister,
  openBlock,
  setLocal,
  setRegister,
  teeLocal,
} from "./function_context.ts";
import { TYPE, WASM } from "./wasm_opcodes.ts";

type Size = 1 | 2 | 4 | 8;

const LOAD = {
  1: WASM.i64_load8_u,
  2: WASM.i64_load16_u,
  4: WASM.i64_load32_u,
  8: WASM.i64_load,
} as const;
const LOAD_SIGNED = {
  1: WASM.i64_load8_s,
  2: WASM.i64_load16_s,
  4: WASM.i64_load32_s,
  8: WASM.i64_load,
} as const;
const STORE = {
  1: WASM.i64_store8,
  2: WASM.i64_store16,
  4: WASM.i64_store32,
  8: WASM.i64_store,
} as const;

/** Bits of aot_check's `access` (aot_engine.c). */
const CHECK_WRITE = 0x100;
const CHECK_ALIGNED = 0x200;
const CHECK_UPDATE = 0x400;
const READABLE_BITS = 0x7f;

export function emitMemory(context: FunctionContext, slot: number, instruction: Instruction): void {
  const { dst, src, imm } = instruction;
  const size = accessSize(instruction);
  if (instructionClass(instruction) === CLASS.LDX) {
    const opcodes = mode(instruction) === MODE.MEMSX ? LOAD_SIGNED : LOAD;
    prepare(context, slot, instruction, src, 0);
    access(context, opcodes[size], 0);
    setRegister(context, dst);
  } else if (mode(instruction) === MODE.ATOMIC) {
    emitAtomic(context, slot, instruction, size);
  } else {
    prepare(context, slot, instruction, dst, CHECK_WRITE);
    if (instructionClass(instruction) === CLASS.ST) constant64(context, imm);
    else getRegister(context, src);
    access(context, STORE[size], 0);
  }
}

/** Checks the access and leaves its address on the stack (and in the local `address32`). */
function prepare(
  context: FunctionContext,
  slot: number,
  instruction: Instruction,
  base: number,
  flags: number,
): void {
  const { out, locals, mode: how, findings, checked } = context;
  const { offset } = instruction;
  const size = accessSize(instruction);
  const write = (flags & CHECK_WRITE) !== 0;
  const aligned = (flags & CHECK_ALIGNED) !== 0;
  // In paranoid mode the check also notes which bytes of the frame are written.
  const own = how !== "paranoid" && findings.ownFrame.has(slot);
  const safe = how === "checked" && findings.safe.has(slot);
  const covered = !aligned && checked.covers(base, offset, size, write);
  const sure = how === "fast" || own || safe || covered;
  if (sure) {
    getRegister(context, base);
    out.byte(WASM.i32_wrap_i64);
    if (offset !== 0) {
      constant32(context, offset);
      out.byte(WASM.i32_add);
    }
    teeLocal(context, locals.address32);
    return;
  }
  getRegister(context, base);
  if (offset !== 0) {
    constant64(context, offset);
    out.byte(WASM.i64_add);
  }
  setLocal(context, locals.address64);
  check(context, slot, size, flags);
  // In paranoid mode others may have written into the frame that the address comes from.
  const object = how === "paranoid" ? undefined : findings.objects.get(slot);
  if (object === undefined) checked.add(base, offset, size, write);
  else checked.add(base, object.from, object.to - object.from, true);
  getLocal(context, locals.address32);
}

/**
 * One shadow byte says whether the access, at `address64`, is allowed; what crosses granules goes the
 * slow way, which faults for what is not allowed.
 */
function check(context: FunctionContext, slot: number, size: Size, flags: number): void {
  const { out, locals, addresses, functions } = context;
  const write = (flags & CHECK_WRITE) !== 0;
  getLocal(context, locals.address64);
  out.byte(WASM.i32_wrap_i64);
  setLocal(context, locals.address32);
  openBlock(context);
  openBlock(context);
  getLocal(context, locals.address64);
  out.byte(WASM.i64_const);
  out.s64(addresses.memoryBytes, 0);
  out.byte(WASM.i64_ge_u);
  branchIf(context, 0);
  if ((flags & CHECK_ALIGNED) !== 0) {
    getLocal(context, locals.address32);
    constant32(context, size - 1);
    out.byte(WASM.i32_and);
    branchIf(context, 0);
  }
  getLocal(context, locals.address32);
  constant32(context, 3);
  out.byte(WASM.i32_shr_u);
  // The sign says "read-only".
  access(context, write ? WASM.i32_load8_s : WASM.i32_load8_u, 0, addresses.shadow);
  if (!write) {
    constant32(context, READABLE_BITS);
    out.byte(WASM.i32_and);
  }
  getLocal(context, locals.address32);
  constant32(context, 7);
  out.byte(WASM.i32_and);
  constant32(context, size);
  out.byte(WASM.i32_add);
  out.byte(WASM.i32_ge_s);
  branchIf(context, 1);
  out.byte(WASM.end);
  getLocal(context, locals.address64);
  constant32(context, slot);
  constant32(context, size | flags);
  call(context, functions.check);
  out.byte(WASM.end);
}

function emitAtomic(
  context: FunctionContext,
  slot: number,
  instruction: Instruction,
  size: Size,
): void {
  const { dst, src, imm } = instruction;
  if (imm === ATOMIC.LOAD_ACQUIRE) {
    prepare(context, slot, instruction, src, CHECK_ALIGNED);
    access(context, LOAD[size], 0);
    setRegister(context, dst);
    return;
  }
  const update = imm === ATOMIC.STORE_RELEASE ? 0 : CHECK_UPDATE;
  prepare(context, slot, instruction, dst, CHECK_WRITE | CHECK_ALIGNED | update);
  if (imm === ATOMIC.STORE_RELEASE) {
    getRegister(context, src);
    access(context, STORE[size], 0);
  } else if (imm === ATOMIC.CMPXCHG) {
    compareExchange(context, src, size);
  } else {
    readModifyWrite(context, src, imm, size);
  }
}

/** The address is on the stack. */
function readModifyWrite(context: FunctionContext, src: number, imm: number, size: Size): void {
  const { out, locals } = context;
  access(context, LOAD[size], 0);
  setLocal(context, locals.value64);
  getLocal(context, locals.address32);
  if (imm === ATOMIC.XCHG) {
    getRegister(context, src);
  } else {
    getLocal(context, locals.value64);
    getRegister(context, src);
    out.byte(modification(imm & ~ATOMIC.FETCH));
  }
  access(context, STORE[size], 0);
  if ((imm & ATOMIC.FETCH) === 0) return;
  getLocal(context, locals.value64);
  setRegister(context, src);
}

function modification(operation: number): number {
  switch (operation) {
    case ATOMIC.ADD:
      return WASM.i64_add;
    case ATOMIC.OR:
      return WASM.i64_or;
    case ATOMIC.AND:
      return WASM.i64_and;
    default:
      return WASM.i64_xor;
  }
}

function compareExchange(context: FunctionContext, src: number, size: Size): void {
  const { out, locals } = context;
  access(context, LOAD[size], 0);
  teeLocal(context, locals.value64);
  getRegister(context, 0);
  if (size === 4) {
    out.byte(WASM.i32_wrap_i64);
    out.byte(WASM.i64_extend_i32_u);
  }
  out.byte(WASM.i64_eq);
  out.byte(WASM.if);
  out.byte(TYPE.none);
  getLocal(context, locals.address32);
  getRegister(context, src);
  access(context, STORE[size], 0);
  out.byte(WASM.end);
  getLocal(context, locals.value64);
  setRegister(context, 0);
}
