/** Where an instruction may write, as far as a function's own frame and the memory of others are concerned. */
import { CALL_SOURCE, CLASS, type Instruction, OPCODE } from "#wasm/loader/instructions.ts";
import { type FlowState, FRAME_BYTES } from "./flow_state.ts";
import { ATOMIC, accessSize, instructionClass, MODE, mode } from "./opcodes.ts";
import { inObject, isConstant } from "./value_range.ts";

/** Bytes of the own frame, from r10 + offset. */
export interface FrameBytes {
  readonly offset: number;
  readonly size: number;
}

/** `objects`: nowhere, or into objects; `anywhere`: perhaps into some frame. */
export type Written = FrameBytes | "objects" | "anywhere";

/** Helpers that write nothing through their arguments, and run nothing that does. */
const WRITES_NOTHING: ReadonlySet<number> = new Set([
  1, // map_lookup_elem
  2, // map_update_elem
  3, // map_delete_elem
  5, // ktime_get_ns
  7, // get_prandom_u32
  8, // get_smp_processor_id
  14, // get_current_pid_tgid
  15, // get_current_uid_gid
  35, // get_current_task
  80, // get_current_cgroup_id
  130, // ringbuf_output
  131, // ringbuf_reserve
  134, // ringbuf_query
  195, // map_lookup_percpu_elem
]);

/** Helpers that write r2 bytes to r1, and nothing else. */
const WRITES_BUFFER: ReadonlySet<number> = new Set([
  4, // probe_read
  16, // get_current_comm
  45, // probe_read_str
  112, // probe_read_user
  113, // probe_read_kernel
  114, // probe_read_user_str
  115, // probe_read_kernel_str
]);

/** Helpers that give a record back, and write nothing. */
const RELEASES: ReadonlySet<number> = new Set([
  132, // ringbuf_submit
  133, // ringbuf_discard
]);

/** What a call of a subprogram at that slot may write to: never the caller's frame in particular. */
export type CalleeWrites = (target: number) => "objects" | "anywhere";

export function writtenBy(
  instruction: Instruction,
  slot: number,
  state: FlowState,
  callee: CalleeWrites,
): Written {
  switch (instructionClass(instruction)) {
    case CLASS.ST:
    case CLASS.STX: {
      const { dst, offset, imm } = instruction;
      const reads = mode(instruction) === MODE.ATOMIC && imm === ATOMIC.LOAD_ACQUIRE;
      return reads ? "objects" : writtenAt(state, dst, offset, accessSize(instruction));
    }
    case CLASS.JMP:
      return writtenByCall(instruction, slot, state, callee);
    default:
      return "objects";
  }
}

function writtenAt(state: FlowState, register: number, offset: number, size: number): Written {
  const base = state.registers[register]!;
  if (base.base === "frame") {
    const at = base.offset + offset;
    // Beyond it lie frames of others: the caller's, to which a helper may write as well.
    return at >= -FRAME_BYTES && at + size <= 0 ? { offset: at, size } : "anywhere";
  }
  return inObject(base, offset, size) ? "objects" : "anywhere";
}

function writtenByCall(
  { opcode, src, imm }: Instruction,
  slot: number,
  state: FlowState,
  callee: CalleeWrites,
): Written {
  if (opcode === OPCODE.CALLX) return "anywhere";
  if (opcode !== OPCODE.CALL) return "objects";
  if (src === CALL_SOURCE.LOCAL) return callee(slot + 1 + imm);
  if (src !== CALL_SOURCE.HELPER) return "anywhere";
  if (WRITES_NOTHING.has(imm) || RELEASES.has(imm)) return "objects";
  const size = state.registers[2]!;
  if (!WRITES_BUFFER.has(imm) || !isConstant(size) || size.low < 0) return "anywhere";
  return writtenAt(state, 1, 0, size.low);
}

/** Whether records that the program holds may be given back. */
export function mayRelease(
  { opcode, src, imm }: Instruction,
  slot: number,
  callee: CalleeWrites,
): boolean {
  if (opcode === OPCODE.CALLX) return true;
  if (opcode !== OPCODE.CALL) return false;
  if (src === CALL_SOURCE.LOCAL) return callee(slot + 1 + imm) === "anywhere";
  return src !== CALL_SOURCE.HELPER || !(WRITES_NOTHING.has(imm) || WRITES_BUFFER.has(imm));
}
