/** Arithmetic of 64 bits, and of 32, whose results have zeros above. */
import { ALU, operation, usesSourceRegister } from "#wasm/engines/opcodes.ts";
import { CLASS, type Instruction } from "#wasm/loader/instructions.ts";
import {
  constant32,
  constant64,
  type FunctionContext,
  getLocal,
  getRegister,
  setLocal,
  setRegister,
} from "./function_context.ts";
import { TYPE, WASM } from "./wasm_opcodes.ts";

const PLAIN: Readonly<Record<number, readonly [wide: number, narrow: number]>> = {
  [ALU.ADD]: [WASM.i64_add, WASM.i32_add],
  [ALU.SUB]: [WASM.i64_sub, WASM.i32_sub],
  [ALU.MUL]: [WASM.i64_mul, WASM.i32_mul],
  [ALU.OR]: [WASM.i64_or, WASM.i32_or],
  [ALU.AND]: [WASM.i64_and, WASM.i32_and],
  [ALU.XOR]: [WASM.i64_xor, WASM.i32_xor],
  // Both machines take shift counts modulo the width.
  [ALU.LSH]: [WASM.i64_shl, WASM.i32_shl],
  [ALU.RSH]: [WASM.i64_shr_u, WASM.i32_shr_u],
  [ALU.ARSH]: [WASM.i64_shr_s, WASM.i32_shr_s],
};

export function emitArithmetic(context: FunctionContext, instruction: Instruction): void {
  const { out } = context;
  const wide = (instruction.opcode & 7) === CLASS.ALU64;
  const op = operation(instruction);
  switch (op) {
    case ALU.MOV:
      move(context, instruction, wide);
      break;
    case ALU.NEG:
      constant(context, 0, wide);
      destination(context, instruction, wide);
      out.byte(wide ? WASM.i64_sub : WASM.i32_sub);
      finish(context, instruction, wide);
      break;
    case ALU.DIV:
    case ALU.MOD:
      divide(context, instruction, wide);
      finish(context, instruction, wide);
      break;
    case ALU.END:
      swap(context, instruction, wide);
      setRegister(context, instruction.dst);
      break;
    default:
      destination(context, instruction, wide);
      operand(context, instruction, wide);
      out.byte(PLAIN[op]![wide ? 0 : 1]);
      finish(context, instruction, wide);
  }
}

function constant(context: FunctionContext, value: number, wide: boolean): void {
  if (wide) constant64(context, value);
  else constant32(context, value);
}

function register(context: FunctionContext, number: number, wide: boolean): void {
  getRegister(context, number);
  if (!wide) context.out.byte(WASM.i32_wrap_i64);
}

const destination = (context: FunctionContext, { dst }: Instruction, wide: boolean): void =>
  register(context, dst, wide);

function operand(context: FunctionContext, instruction: Instruction, wide: boolean): void {
  if (usesSourceRegister(instruction)) register(context, instruction.src, wide);
  else constant(context, instruction.imm, wide);
}

function finish(context: FunctionContext, { dst }: Instruction, wide: boolean): void {
  if (!wide) context.out.byte(WASM.i64_extend_i32_u);
  setRegister(context, dst);
}

function move(context: FunctionContext, instruction: Instruction, wide: boolean): void {
  const { out } = context;
  operand(context, instruction, wide);
  switch (instruction.offset) {
    case 8:
      out.byte(wide ? WASM.i64_extend8_s : WASM.i32_extend8_s);
      break;
    case 16:
      out.byte(wide ? WASM.i64_extend16_s : WASM.i32_extend16_s);
      break;
    case 32:
      out.byte(WASM.i64_extend32_s);
      break;
  }
  finish(context, instruction, wide);
}

/** Division by zero gives 0, the remainder leaves the dividend; the smallest number over -1 wraps. */
function divide(context: FunctionContext, instruction: Instruction, wide: boolean): void {
  const { out } = context;
  const division = operation(instruction) === ALU.DIV;
  const signed = instruction.offset === 1;
  const whenZero = (): void => {
    if (division) constant(context, 0, wide);
    else destination(context, instruction, wide);
  };
  const plain = (): void => {
    destination(context, instruction, wide);
    operand(context, instruction, wide);
    out.byte(divisionOpcode(division, signed, wide));
  };
  const whenMinusOne = (): void => {
    constant(context, 0, wide);
    destination(context, instruction, wide);
    out.byte(wide ? WASM.i64_sub : WASM.i32_sub);
  };
  // Of what could trap, wasm's signed division by -1 does; its remainder does not.
  const wraps = division && signed;
  if (!usesSourceRegister(instruction)) {
    if (instruction.imm === 0) whenZero();
    else if (wraps && instruction.imm === -1) whenMinusOne();
    else plain();
    return;
  }
  const type = wide ? TYPE.i64 : TYPE.i32;
  operand(context, instruction, wide);
  out.byte(wide ? WASM.i64_eqz : WASM.i32_eqz);
  choose(context, type, whenZero, () => {
    if (!wraps) {
      plain();
      return;
    }
    operand(context, instruction, wide);
    constant(context, -1, wide);
    out.byte(wide ? WASM.i64_eq : WASM.i32_eq);
    choose(context, type, whenMinusOne, plain);
  });
}

function choose(
  { out }: FunctionContext,
  type: number,
  taken: () => void,
  otherwise: () => void,
): void {
  out.byte(WASM.if);
  out.byte(type);
  taken();
  out.byte(WASM.else);
  otherwise();
  out.byte(WASM.end);
}

function divisionOpcode(division: boolean, signed: boolean, wide: boolean): number {
  if (wide) {
    if (division) return signed ? WASM.i64_div_s : WASM.i64_div_u;
    return signed ? WASM.i64_rem_s : WASM.i64_rem_u;
  }
  if (division) return signed ? WASM.i32_div_s : WASM.i32_div_u;
  return signed ? WASM.i32_rem_s : WASM.i32_rem_u;
}

/** To little endian only cuts; to big endian, and the swap without condition, turn bytes around. */
function swap(context: FunctionContext, instruction: Instruction, wide: boolean): void {
  const { imm, dst } = instruction;
  const turns = wide || usesSourceRegister(instruction);
  const { out } = context;
  getRegister(context, dst);
  if (imm === 64) {
    if (turns) swap64(context);
    return;
  }
  out.byte(WASM.i32_wrap_i64);
  if (turns) swap32(context);
  if (imm === 16) {
    constant32(context, turns ? 16 : 0xffff);
    out.byte(turns ? WASM.i32_shr_u : WASM.i32_and);
  }
  out.byte(WASM.i64_extend_i32_u);
}

function swap32(context: FunctionContext): void {
  const { out, locals } = context;
  const part = (rotation: number, mask: number): void => {
    getLocal(context, locals.address32);
    constant32(context, rotation);
    out.byte(WASM.i32_rotl);
    constant32(context, mask);
    out.byte(WASM.i32_and);
  };
  setLocal(context, locals.address32);
  part(8, 0x00ff00ff);
  part(24, 0xff00ff00);
  out.byte(WASM.i32_or);
}

function swap64(context: FunctionContext): void {
  const { out, locals } = context;
  const exchange = (by: number, mask: number): void => {
    setLocal(context, locals.value64);
    getLocal(context, locals.value64);
    constant64(context, by);
    out.byte(WASM.i64_shr_u);
    mask64(context, mask);
    getLocal(context, locals.value64);
    mask64(context, mask);
    constant64(context, by);
    out.byte(WASM.i64_shl);
    out.byte(WASM.i64_or);
  };
  exchange(8, 0x00ff00ff);
  exchange(16, 0x0000ffff);
  constant64(context, 32);
  out.byte(WASM.i64_rotl);
}

function mask64({ out }: FunctionContext, half: number): void {
  out.byte(WASM.i64_const);
  out.s64(half, half);
  out.byte(WASM.i64_and);
}
