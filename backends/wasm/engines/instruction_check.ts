/**
 * Whether the fields of an instruction are such that it exists (RFC 9669, and the kernel's additions
 * to it): what an instruction does not use is zero, registers exist, the frame pointer is not
 * written. Every engine may rely on it.
 */
import {
  CALL_SOURCE,
  CLASS,
  FRAME_POINTER,
  type Instruction,
  OPCODE,
} from "#wasm/loader/instructions.ts";
import {
  ALU,
  ATOMIC,
  accessSize,
  instructionClass,
  JUMP,
  MODE,
  mode,
  operation,
  usesSourceRegister,
} from "./opcodes.ts";

const LAST_ALU_OPERATION = ALU.END;
const LAST_COMPARISON = 0xd0;
const MEMORY_ATOMICS: ReadonlySet<number> = new Set([
  ATOMIC.ADD,
  ATOMIC.ADD | ATOMIC.FETCH,
  ATOMIC.OR,
  ATOMIC.OR | ATOMIC.FETCH,
  ATOMIC.AND,
  ATOMIC.AND | ATOMIC.FETCH,
  ATOMIC.XOR,
  ATOMIC.XOR | ATOMIC.FETCH,
  ATOMIC.XCHG,
  ATOMIC.CMPXCHG,
]);

/** What is wrong with the instruction; undefined if nothing is. */
export function malformation(instruction: Instruction): string | undefined {
  const { dst, src } = instruction;
  if (dst > FRAME_POINTER || src > FRAME_POINTER) return "register beyond r10";
  switch (instructionClass(instruction)) {
    case CLASS.LD:
      return loadImmediate(instruction);
    case CLASS.LDX:
      return load(instruction);
    case CLASS.ST:
      if (mode(instruction) !== MODE.MEM) return unknown(instruction);
      return unused(instruction, SRC);
    case CLASS.STX:
      return store(instruction);
    case CLASS.ALU:
    case CLASS.ALU64:
      return arithmetic(instruction);
    default:
      return jump(instruction);
  }
}

/** What is wrong with the second slot of an LDDW: it holds nothing but an immediate. */
export function secondSlotMalformation(second: Instruction | undefined): string | undefined {
  if (second === undefined || second.opcode !== 0) return "64-bit immediate lacks its second half";
  return unused(second, DST | SRC | OFFSET);
}

/** Fields that an instruction does not use, as a mask: every instruction loaded is checked. */
const DST = 1;
const SRC = 2;
const OFFSET = 4;
const IMM = 8;
const FIELDS = [
  ["dst", DST],
  ["src", SRC],
  ["offset", OFFSET],
  ["imm", IMM],
] as const;

function unused(instruction: Instruction, fields: number): string | undefined {
  const { dst, src, offset, imm } = instruction;
  const set =
    (dst === 0 ? 0 : DST) |
    (src === 0 ? 0 : SRC) |
    (offset === 0 ? 0 : OFFSET) |
    (imm === 0 ? 0 : IMM);
  if ((set & fields) === 0) return undefined;
  const [field] = FIELDS.find(([, bit]) => (set & fields & bit) !== 0)!;
  return `${field} is ${instruction[field]} in an instruction that does not use it`;
}

function unknown({ opcode, offset, imm }: Instruction): string {
  return `unknown instruction (opcode 0x${opcode.toString(16)}, offset ${offset}, imm ${imm})`;
}

function writes(register: number): string | undefined {
  return register === FRAME_POINTER ? "the frame pointer is read-only" : undefined;
}

function loadImmediate(instruction: Instruction): string | undefined {
  if (instruction.opcode !== OPCODE.LDDW) return "legacy packet access, or no instruction";
  return writes(instruction.dst) ?? unused(instruction, OFFSET);
}

function load(instruction: Instruction): string | undefined {
  const how = mode(instruction);
  const exists = how === MODE.MEM || (how === MODE.MEMSX && accessSize(instruction) < 8);
  if (!exists) return unknown(instruction);
  return writes(instruction.dst) ?? unused(instruction, IMM);
}

function store(instruction: Instruction): string | undefined {
  const { dst, src, imm } = instruction;
  if (mode(instruction) === MODE.MEM) return unused(instruction, IMM);
  if (mode(instruction) !== MODE.ATOMIC) return unknown(instruction);
  if (imm === ATOMIC.LOAD_ACQUIRE) return writes(dst);
  if (imm === ATOMIC.STORE_RELEASE) return undefined;
  if (accessSize(instruction) < 4 || !MEMORY_ATOMICS.has(imm)) return unknown(instruction);
  const fetches = (imm & ATOMIC.FETCH) !== 0 && imm !== ATOMIC.CMPXCHG;
  return fetches ? writes(src) : undefined;
}

function arithmetic(instruction: Instruction): string | undefined {
  const { opcode, dst, offset, imm } = instruction;
  const op = operation(instruction);
  const bits = instructionClass(instruction) === CLASS.ALU64 ? 64 : 32;
  const byRegister = usesSourceRegister(instruction);
  if (op > LAST_ALU_OPERATION) return unknown(instruction);
  if (op === ALU.END) {
    const exists = (bits === 32 || !byRegister) && (imm === 16 || imm === 32 || imm === 64);
    if (!exists) return unknown(instruction);
    return writes(dst) ?? unused(instruction, SRC | OFFSET);
  }
  if (op === ALU.NEG) {
    if (byRegister) return unknown(instruction);
    return writes(dst) ?? unused(instruction, SRC | OFFSET | IMM);
  }
  const signed =
    ((op === ALU.DIV || op === ALU.MOD) && offset === 1) ||
    (opcode === (CLASS.ALU | ALU.MOV | 0x08) && (offset === 8 || offset === 16)) ||
    (opcode === (CLASS.ALU64 | ALU.MOV | 0x08) && (offset === 8 || offset === 16 || offset === 32));
  if (offset !== 0 && !signed) return unknown(instruction);
  return writes(dst) ?? unused(instruction, byRegister ? IMM : SRC);
}

function jump(instruction: Instruction): string | undefined {
  const op = operation(instruction);
  switch (instruction.opcode) {
    case OPCODE.JA:
      return unused(instruction, DST | SRC | IMM);
    case OPCODE.JA32:
      return unused(instruction, DST | SRC | OFFSET);
    case OPCODE.MAY_GOTO:
      return unused(instruction, DST | SRC | IMM);
    case OPCODE.EXIT:
      return unused(instruction, DST | SRC | OFFSET | IMM);
    case OPCODE.CALLX:
      if (instruction.dst === FRAME_POINTER) return "r10 holds no helper's number";
      return unused(instruction, SRC | OFFSET | IMM);
    case OPCODE.CALL:
      if (instruction.src > CALL_SOURCE.KERNEL_FUNCTION) return unknown(instruction);
      return unused(instruction, DST | OFFSET);
  }
  const comparison =
    op !== JUMP.JA && op !== JUMP.CALL && op !== JUMP.EXIT && op <= LAST_COMPARISON;
  if (!comparison) return unknown(instruction);
  return unused(instruction, usesSourceRegister(instruction) ? IMM : SRC);
}
