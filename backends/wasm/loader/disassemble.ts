/**
 * Instructions as text, for messages: the syntax of LLVM's disassembler (`r1 = *(u64 *)(r1 + 8)`),
 * with names in the place of numbers where the program has them.
 */

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
} from "#wasm/engines/opcodes.ts";
import { helperName } from "./helper_names.ts";
import { CALL_SOURCE, CLASS, Code, type Instruction, OPCODE } from "./instructions.ts";
import type { LinkedProgram } from "./linked_program.ts";

/** What an instruction alone does not say. */
export interface DisassemblyContext {
  /** Upper half of a 64-bit immediate, signed. */
  readonly highImmediate?: number;
  /** What a 64-bit load refers to, in words. */
  readonly reference?: string;
  /** Name of the function that is called. */
  readonly callee?: string;
}

/** The instruction at a slot of a linked program, with the names of what it refers to. */
export function disassembleAt(program: LinkedProgram, slot: number): string {
  const code = new Code(program.code);
  const instruction = code.at(slot);
  if (code.isLddw(slot)) {
    const reference = referenceName(program, slot);
    const highImmediate = code.imm(slot + 1);
    return disassemble(instruction, {
      highImmediate,
      ...(reference === undefined ? {} : { reference }),
    });
  }
  const local = instruction.opcode === OPCODE.CALL && instruction.src === CALL_SOURCE.LOCAL;
  const target = slot + 1 + instruction.imm;
  const callee = local ? functionName(program, target) : undefined;
  return disassemble(instruction, callee === undefined ? {} : { callee });
}

function referenceName(program: LinkedProgram, slot: number): string | undefined {
  const reference = program.references.find((candidate) => candidate.slot === slot);
  switch (reference?.kind) {
    case "map":
      return `map[${reference.map}]`;
    case "map_value":
      return `map[${reference.map}][0]+${reference.offset}`;
    case "function":
      return `subprog[${functionName(program, reference.target) ?? reference.target}]`;
    default:
      return undefined;
  }
}

function functionName(program: LinkedProgram, start: number): string | undefined {
  return program.subprograms.find((subprogram) => subprogram.start === start)?.name;
}

/** One instruction. What is none gives `"unknown opcode 0x.."`; fields that it does not use are ignored. */
export function disassemble(instruction: Instruction, context: DisassemblyContext = {}): string {
  return text(instruction, context) ?? `unknown opcode 0x${instruction.opcode.toString(16)}`;
}

function text(instruction: Instruction, context: DisassemblyContext): string | undefined {
  switch (instructionClass(instruction)) {
    case CLASS.LD:
      return loadImmediate(instruction, context);
    case CLASS.LDX:
      return load(instruction);
    case CLASS.ST:
      if (mode(instruction) !== MODE.MEM) return undefined;
      return `${memory(instruction, instruction.dst)} = ${instruction.imm}`;
    case CLASS.STX:
      if (mode(instruction) === MODE.ATOMIC) return atomic(instruction);
      if (mode(instruction) !== MODE.MEM) return undefined;
      return `${memory(instruction, instruction.dst)} = r${instruction.src}`;
    case CLASS.ALU:
    case CLASS.ALU64:
      return arithmetic(instruction);
    default:
      return jump(instruction, context);
  }
}

function unsignedType(instruction: Instruction): string {
  return `u${accessSize(instruction) * 8}`;
}

function address(register: number, offset: number): string {
  return `r${register} ${offset < 0 ? "-" : "+"} ${Math.abs(offset)}`;
}

function memory(instruction: Instruction, base: number, type = unsignedType(instruction)): string {
  return `*(${type} *)(${address(base, instruction.offset)})`;
}

function loadImmediate(
  instruction: Instruction,
  { highImmediate = 0, reference }: DisassemblyContext,
): string | undefined {
  const { opcode, dst, src, imm } = instruction;
  const packet = `r0 = *(${unsignedType(instruction)} *)skb`;
  if (mode(instruction) === MODE.ABS && opcode !== 0x38) return `${packet}[${imm}]`;
  if (mode(instruction) === MODE.IND && opcode !== 0x58) {
    return imm === 0 ? `${packet}[r${src}]` : `${packet}[r${src} + ${imm}]`;
  }
  if (opcode !== OPCODE.LDDW) return undefined;
  if (reference !== undefined) return `r${dst} = ${reference} ll`;
  return `r${dst} = ${(BigInt(highImmediate) << 32n) | BigInt(imm >>> 0)} ll`;
}

function load(instruction: Instruction): string | undefined {
  const { dst, src } = instruction;
  if (mode(instruction) === MODE.MEM) return `r${dst} = ${memory(instruction, src)}`;
  if (mode(instruction) !== MODE.MEMSX || accessSize(instruction) === 8) return undefined;
  return `r${dst} = ${memory(instruction, src, `s${accessSize(instruction) * 8}`)}`;
}

const ATOMIC_OPERATIONS: ReadonlyMap<number, readonly [string, string]> = new Map([
  [ATOMIC.ADD, ["+=", "add"]],
  [ATOMIC.OR, ["|=", "or"]],
  [ATOMIC.AND, ["&=", "and"]],
  [ATOMIC.XOR, ["^=", "xor"]],
]);

function atomic(instruction: Instruction): string | undefined {
  const { dst, src, offset, imm } = instruction;
  const type = unsignedType(instruction);
  const wide = accessSize(instruction) === 8;
  const register = (number: number) => `${wide ? "r" : "w"}${number}`;
  const pointer = `(${type} *)(${address(dst, offset)})`;
  const source = `(${type} *)(${address(src, offset)})`;
  if (imm === ATOMIC.LOAD_ACQUIRE) return `${register(dst)} = load_acquire(${source})`;
  if (imm === ATOMIC.STORE_RELEASE) return `store_release(${pointer}, ${register(src)})`;
  if (accessSize(instruction) < 4) return undefined;
  const at = address(dst, offset);
  const suffix = wide ? "_64" : "32_32";
  if (imm === ATOMIC.XCHG) return `${register(src)} = xchg${suffix}(${at}, ${register(src)})`;
  if (imm === ATOMIC.CMPXCHG) {
    return `${register(0)} = cmpxchg${suffix}(${at}, ${register(0)}, ${register(src)})`;
  }
  const names = ATOMIC_OPERATIONS.get(imm & ~ATOMIC.FETCH);
  if (names === undefined) return undefined;
  if ((imm & ATOMIC.FETCH) === 0) {
    return `lock ${memory(instruction, dst)} ${names[0]} ${register(src)}`;
  }
  return `${register(src)} = atomic_fetch_${names[1]}(${pointer}, ${register(src)})`;
}

const ALU_OPERATORS: ReadonlyMap<number, string> = new Map([
  [ALU.ADD, "+="],
  [ALU.SUB, "-="],
  [ALU.MUL, "*="],
  [ALU.DIV, "/="],
  [ALU.OR, "|="],
  [ALU.AND, "&="],
  [ALU.LSH, "<<="],
  [ALU.RSH, ">>="],
  [ALU.MOD, "%="],
  [ALU.XOR, "^="],
  [ALU.MOV, "="],
  [ALU.ARSH, "s>>="],
]);

function arithmetic(instruction: Instruction): string | undefined {
  const { dst, src, offset, imm } = instruction;
  const op = operation(instruction);
  const wide = instructionClass(instruction) === CLASS.ALU64;
  const byRegister = usesSourceRegister(instruction);
  const register = (number: number) => `${wide ? "r" : "w"}${number}`;
  if (op === ALU.NEG) return byRegister ? undefined : `${register(dst)} = -${register(dst)}`;
  if (op === ALU.END) {
    if (imm !== 16 && imm !== 32 && imm !== 64) return undefined;
    if (wide && byRegister) return undefined;
    const order = wide ? "bswap" : byRegister ? "be" : "le";
    return `r${dst} = ${order}${imm} r${dst}`;
  }
  const operator = ALU_OPERATORS.get(op);
  if (operator === undefined) return undefined;
  const operand = byRegister ? register(src) : `${imm}`;
  const signed = (op === ALU.DIV || op === ALU.MOD) && offset === 1 ? "s" : "";
  const cast = op === ALU.MOV && byRegister && offset !== 0 ? `(s${offset})` : "";
  return `${register(dst)} ${signed}${operator} ${cast}${operand}`;
}

const COMPARISONS: ReadonlyMap<number, string> = new Map([
  [0x10, "=="],
  [0x20, ">"],
  [0x30, ">="],
  [0x40, "&"],
  [0x50, "!="],
  [0x60, "s>"],
  [0x70, "s>="],
  [0xa0, "<"],
  [0xb0, "<="],
  [0xc0, "s<"],
  [0xd0, "s<="],
]);

function jump(instruction: Instruction, { callee }: DisassemblyContext): string | undefined {
  const { opcode, dst, src, offset, imm } = instruction;
  switch (opcode) {
    case OPCODE.JA:
      return `goto ${distance(offset)}`;
    case OPCODE.JA32:
      return `gotol ${distance(imm)}`;
    case OPCODE.MAY_GOTO:
      return `may_goto ${distance(offset)}`;
    case OPCODE.EXIT:
      return "exit";
    case OPCODE.CALL:
      return `call ${callee ?? calleeName(src, imm)}`;
    case OPCODE.CALLX:
      return `callx r${dst}`;
  }
  const comparison = COMPARISONS.get(operation(instruction));
  if (comparison === undefined || operation(instruction) === JUMP.CALL) return undefined;
  const register = instructionClass(instruction) === CLASS.JMP ? "r" : "w";
  const operand = usesSourceRegister(instruction) ? `${register}${src}` : `${imm}`;
  return `if ${register}${dst} ${comparison} ${operand} goto ${distance(offset)}`;
}

function calleeName(source: number, imm: number): string {
  if (source === CALL_SOURCE.LOCAL) return `pc${distance(imm)}`;
  if (source === CALL_SOURCE.KERNEL_FUNCTION) return `kernel function ${imm}`;
  return helperName(imm) ?? `helper ${imm}`;
}

function distance(slots: number): string {
  return slots < 0 ? `${slots}` : `+${slots}`;
}
