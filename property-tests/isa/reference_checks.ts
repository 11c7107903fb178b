/**
 * What a program must fulfil before it runs: every slot is an instruction of the table, jumps stay
 * inside their function, no function falls off its end, the frame pointer is never written.
 */

import {
  ATOMIC,
  CALL,
  CALL_HELPER,
  CLASS,
  EXIT,
  FRAME_POINTER,
  type Instruction,
  JUMP,
  LDDW,
  MODE,
  SLOT_BYTES,
} from "#property-tests/isa/encoding.ts";
import { findForm } from "#property-tests/isa/opcodes.ts";

/** The program is invalid, or went wrong in a way that a verifier would have refused. */
export class ProgramRejected extends Error {
  /** Index of the instruction, in slots. */
  readonly slot: number;

  constructor(slot: number, problem: string) {
    super(`instruction ${slot}: ${problem}`);
    this.name = "ProgramRejected";
    this.slot = slot;
  }
}

/** Returns `code` if it may run; throws `ProgramRejected` otherwise. */
export function loadChecked(
  code: readonly Instruction[],
  bytes: number,
  helpers: { has(number: number): boolean },
): readonly Instruction[] {
  if (bytes === 0 || bytes % SLOT_BYTES !== 0) {
    throw new ProgramRejected(0, `${bytes} bytes are no program`);
  }
  const starts = instructionStarts(code);
  for (const slot of starts) checkInstruction(code[slot]!, slot, helpers);
  checkControlFlow(code, starts);
  return code;
}

/** Slots at which an instruction starts: all but the second ones of LDDW. */
function instructionStarts(code: readonly Instruction[]): Set<number> {
  const starts = new Set<number>();
  for (let slot = 0; slot < code.length; slot++) {
    starts.add(slot);
    if (code[slot]!.opcode !== LDDW) continue;
    slot++;
    const second = code[slot];
    if (second === undefined) throw new ProgramRejected(slot - 1, "LDDW lacks its second slot");
    if (second.opcode !== 0 || findForm(second) === undefined) {
      throw new ProgramRejected(slot, "the second slot of LDDW holds more than an immediate");
    }
  }
  return starts;
}

function checkInstruction(
  instruction: Instruction,
  slot: number,
  helpers: { has(number: number): boolean },
): void {
  const form = findForm(instruction);
  if (form === undefined || instruction.opcode === 0) {
    throw new ProgramRejected(slot, `no instruction: ${JSON.stringify(instruction)}`);
  }
  if (form.group === "platform" || form.group === "packet") {
    throw new ProgramRejected(slot, `${form.name} needs a platform`);
  }
  if (writtenRegister(instruction) === FRAME_POINTER) {
    throw new ProgramRejected(slot, "the frame pointer is read-only");
  }
  const { opcode, src, imm } = instruction;
  if (opcode === CALL_HELPER && src === CALL.HELPER && !helpers.has(imm)) {
    throw new ProgramRejected(slot, `no helper ${imm}`);
  }
}

/** The register that an instruction sets, if its fields name one. */
function writtenRegister({ opcode, dst, src, imm }: Instruction): number | undefined {
  switch (opcode & 0x07) {
    case CLASS.LD:
    case CLASS.LDX:
    case CLASS.ALU:
    case CLASS.ALU64:
      return dst;
    case CLASS.STX:
      if ((opcode & 0xe0) !== MODE.ATOMIC) return undefined;
      if (imm === ATOMIC.LOAD_ACQUIRE) return dst;
      return (imm & ATOMIC.FETCH) !== 0 && imm !== ATOMIC.CMPXCHG ? src : undefined;
    default:
      return undefined;
  }
}

function checkControlFlow(code: readonly Instruction[], starts: ReadonlySet<number>): void {
  const functions = functionStarts(code, starts);
  const functionOf = (slot: number) => functions.findLast((start) => start <= slot);
  for (const slot of starts) {
    const instruction = code[slot]!;
    const width = instruction.opcode === LDDW ? 2 : 1;
    const targets: number[] = [];
    const distance = jumpDistance(instruction);
    if (distance !== undefined) targets.push(slot + 1 + distance);
    if (!isUnconditional(instruction)) targets.push(slot + width);
    for (const target of targets) {
      if (!starts.has(target) || functionOf(target) !== functionOf(slot)) {
        throw new ProgramRejected(slot, `leaves its function for slot ${target}`);
      }
    }
  }
}

/** Entry and the targets of local calls, ascending. */
function functionStarts(code: readonly Instruction[], starts: ReadonlySet<number>): number[] {
  const functions = new Set([0]);
  for (const slot of starts) {
    const { opcode, src, imm } = code[slot]!;
    if (opcode !== CALL_HELPER || src !== CALL.LOCAL) continue;
    if (!starts.has(slot + 1 + imm)) {
      throw new ProgramRejected(slot, `calls slot ${slot + 1 + imm}, where nothing starts`);
    }
    functions.add(slot + 1 + imm);
  }
  return [...functions].sort((left, right) => left - right);
}

/** Slots from the next instruction to where a jump goes; undefined for what does not jump. */
function jumpDistance({ opcode, offset, imm }: Instruction): number | undefined {
  const kind = opcode & 0x07;
  const operation = opcode & 0xf0;
  if (kind !== CLASS.JMP && kind !== CLASS.JMP32) return undefined;
  if (operation === JUMP.CALL || operation === JUMP.EXIT) return undefined;
  return kind === CLASS.JMP32 && operation === JUMP.JA ? imm : offset;
}

function isUnconditional({ opcode }: Instruction): boolean {
  const kind = opcode & 0x07;
  if (opcode === EXIT) return true;
  return (kind === CLASS.JMP || kind === CLASS.JMP32) && (opcode & 0xf0) === JUMP.JA;
}
