/**
 * Helpers that compiled code does itself, where the call would cost more than the work. What they do
 * stands in runtime/helpers_*.c; whatever is not plain is left to the call.
 */
import { inFrame } from "#wasm/engines/flow_state.ts";
import { instructionClass } from "#wasm/engines/opcodes.ts";
import { isConstant } from "#wasm/engines/value_range.ts";
import { CALL_SOURCE, CLASS, OPCODE } from "#wasm/loader/instructions.ts";
import { emitMapLookup } from "./emit_map_lookup.ts";
import {
  access,
  branchIf,
  constant32,
  constant64,
  type FunctionContext,
  getLocal,
  getRegister,
  loadFixed,
  openBlock,
  setLocal,
  setRegister,
  teeLocal,
} from "./function_context.ts";
import { WASM } from "./wasm_opcodes.ts";

const HELPER = {
  mapLookupElem: 1,
  ktimeGetNs: 5,
  getSmpProcessorId: 8,
  getCurrentPidTgid: 14,
  getCurrentUidGid: 15,
  getCurrentComm: 16,
  getCurrentTask: 35,
  getCurrentCgroupId: 80,
  probeReadKernel: 113,
  ringbufQuery: 134,
} as const;
const TASK_HELPERS: ReadonlySet<number> = new Set([
  HELPER.getCurrentPidTgid,
  HELPER.getCurrentUidGid,
  HELPER.getCurrentComm,
  HELPER.getCurrentTask,
  HELPER.getCurrentCgroupId,
]);

const PAGE_SHIFT = 12;
/** RT_SPACE_KERNEL. */
const KERNEL_SPACE = 1;
/** RT_CGROUP_LEVELS - 1. */
const CGROUP_LEVEL_MASK = 15;
const COMM_BYTES = 16;
/** BPF_RB_AVAIL_DATA. */
const AVAILABLE_DATA = 0;
/** log2 of RT_TASKS_PER_BLOCK. */
const TASKS_PER_BLOCK_SHIFT = 6;
/** Of struct rt_task. */
const TASK_BYTES = 240;

/** Emits the helper's work, with its result in r0; false where it must be called. */
export function emitInlineHelper(
  context: FunctionContext,
  slot: number,
  id: number,
  callOut: () => void,
): boolean {
  if (context.callsHelpers) return false;
  switch (id) {
    case HELPER.mapLookupElem:
      return emitMapLookup(context, slot);
    case HELPER.probeReadKernel:
      return readKernelWord(context, slot, callOut);
    case HELPER.ringbufQuery:
      return askRing(context, slot);
    case HELPER.getCurrentComm:
      return copyComm(context, slot);
    case HELPER.ktimeGetNs:
      readClock(context);
      break;
    case HELPER.getSmpProcessorId:
      loadFixed(context, WASM.i64_load32_u, context.addresses.inline.cpu);
      break;
    default:
      if (!TASK_HELPERS.has(id)) return false;
      askTask(context, id);
  }
  setRegister(context, 0);
  return true;
}

/** Whether the function has a helper that needs the local `task`. */
export function readsTask({ code, one, callsHelpers }: FunctionContext): boolean {
  if (callsHelpers) return false;
  for (let slot = one.start; slot < one.end; slot++) {
    const instruction = code.instructions[slot];
    if (instruction === undefined || instructionClass(instruction) !== CLASS.JMP) continue;
    const { opcode, src, imm } = instruction;
    if (opcode === OPCODE.CALL && src === CALL_SOURCE.HELPER && TASK_HELPERS.has(imm)) return true;
  }
  return false;
}

/** Into the local `task`, once a function: a run stays in its task, and a task where it is. */
export function findTask(context: FunctionContext): void {
  const { out, locals, addresses } = context;
  const { cpu, currentTasks, taskBlocks } = addresses.inline;
  loadFixed(context, WASM.i32_load, cpu);
  constant32(context, 2);
  out.byte(WASM.i32_shl);
  access(context, WASM.i32_load, 2, currentTasks);
  teeLocal(context, locals.task);
  constant32(context, TASKS_PER_BLOCK_SHIFT);
  out.byte(WASM.i32_shr_u);
  constant32(context, 2);
  out.byte(WASM.i32_shl);
  access(context, WASM.i32_load, 2, taskBlocks);
  getLocal(context, locals.task);
  constant32(context, (1 << TASKS_PER_BLOCK_SHIFT) - 1);
  out.byte(WASM.i32_and);
  constant32(context, TASK_BYTES);
  out.byte(WASM.i32_mul);
  out.byte(WASM.i32_add);
  setLocal(context, locals.task);
}

/** Bytes that wait in a ring. */
function askRing(context: FunctionContext, slot: number): boolean {
  const registers = context.findings.helperCalls.get(slot);
  if (registers === undefined || !isConstant(registers[2]!)) return false;
  const map = context.named.get(registers[1]!.map);
  if (map?.kind !== "map" || map.ringPositions === 0) return false;
  if (registers[2]!.low !== AVAILABLE_DATA) return false;
  loadFixed(context, WASM.i64_load, map.ringPositions + 8);
  loadFixed(context, WASM.i64_load, map.ringPositions);
  context.out.byte(WASM.i64_sub);
  setRegister(context, 0);
  return true;
}

/** The whole name, to where there surely is room. */
function copyComm(context: FunctionContext, slot: number): boolean {
  const { out, locals, findings, addresses } = context;
  const size = findings.helperCalls.get(slot)?.[2];
  if (size === undefined || !isConstant(size) || size.low !== COMM_BYTES) return false;
  if (findings.buffers.get(slot)! < COMM_BYTES) return false;
  for (const at of [0, 8]) {
    getRegister(context, 1);
    out.byte(WASM.i32_wrap_i64);
    getLocal(context, locals.task);
    access(context, WASM.i64_load, 3, addresses.inline.task.comm + at);
    access(context, WASM.i64_store, 0, at);
  }
  constant64(context, 0);
  setRegister(context, 0);
  return true;
}

/** One word of the simulated kernel's memory, to the frame. Programs' own memory is left to the call. */
function readKernelWord(context: FunctionContext, slot: number, callOut: () => void): boolean {
  const { out, locals, findings, addresses } = context;
  const registers = findings.helperCalls.get(slot);
  if (registers === undefined || !isConstant(registers[2]!)) return false;
  const size = registers[2]!.low;
  if ((size !== 4 && size !== 8) || !inFrame(registers[1]!, size)) return false;
  openBlock(context);
  openBlock(context);
  getRegister(context, 3);
  out.byte(WASM.i64_const);
  out.s64(addresses.memoryBytes - size, 0);
  out.byte(WASM.i64_gt_u);
  branchIf(context, 0);
  getRegister(context, 3);
  out.byte(WASM.i32_wrap_i64);
  setLocal(context, locals.address32);
  leaveUnlessKernelPage(context, size);
  getRegister(context, 1);
  out.byte(WASM.i32_wrap_i64);
  getLocal(context, locals.address32);
  access(context, size === 8 ? WASM.i64_load : WASM.i64_load32_u, 0);
  access(context, size === 8 ? WASM.i64_store : WASM.i64_store32, 0);
  constant64(context, 0);
  setRegister(context, 0);
  out.byte(WASM.br);
  out.u32(1);
  out.byte(WASM.end);
  callOut();
  out.byte(WASM.end);
  return true;
}

/** Branches out of a block where the word at `address32` is not all in a page of the kernel's. */
function leaveUnlessKernelPage(context: FunctionContext, size: number): void {
  const { out, locals, addresses } = context;
  getLocal(context, locals.address32);
  constant32(context, (1 << PAGE_SHIFT) - 1);
  out.byte(WASM.i32_and);
  constant32(context, (1 << PAGE_SHIFT) - size);
  out.byte(WASM.i32_gt_u);
  branchIf(context, 0);
  getLocal(context, locals.address32);
  constant32(context, PAGE_SHIFT);
  out.byte(WASM.i32_shr_u);
  access(context, WASM.i32_load8_u, 0, addresses.inline.spaces);
  constant32(context, KERNEL_SPACE);
  out.byte(WASM.i32_ne);
  branchIf(context, 0);
}

/** Reading the clock may move it on. */
function readClock(context: FunctionContext): void {
  const { out, locals, addresses } = context;
  const { clock_ns, tick_ns } = addresses.inline;
  constant32(context, 0);
  loadFixed(context, WASM.i64_load, clock_ns);
  loadFixed(context, WASM.i64_load32_u, tick_ns);
  out.byte(WASM.i64_add);
  teeLocal(context, locals.value64);
  access(context, WASM.i64_store, 3, clock_ns);
  getLocal(context, locals.value64);
}

function askTask(context: FunctionContext, id: number): void {
  const { out, locals, addresses } = context;
  const { task } = addresses.inline;
  getLocal(context, locals.task);
  switch (id) {
    case HELPER.getCurrentPidTgid:
      // tgid, then pid: the other way round in the result.
      access(context, WASM.i64_load, 2, task.pid);
      constant64(context, 32);
      out.byte(WASM.i64_rotl);
      break;
    case HELPER.getCurrentUidGid:
      access(context, WASM.i64_load, 2, task.uid);
      break;
    case HELPER.getCurrentTask:
      access(context, WASM.i64_load, 3, task.kernelAddress);
      break;
    default:
      // The identifier at the task's own level.
      getLocal(context, locals.task);
      access(context, WASM.i32_load, 2, task.cgroupLevel);
      constant32(context, CGROUP_LEVEL_MASK);
      out.byte(WASM.i32_and);
      constant32(context, 3);
      out.byte(WASM.i32_shl);
      out.byte(WASM.i32_add);
      access(context, WASM.i64_load, 3, task.cgroupIds);
  }
}
