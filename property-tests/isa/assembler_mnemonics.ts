/** Every mnemonic of the assembler and how it becomes slots. */

import { Statement, splitOnce } from "#property-tests/isa/assembler_statement.ts";
import {
  ALU,
  ATOMIC,
  CALL,
  CALL_HELPER,
  CALL_REGISTER,
  CLASS,
  EXIT,
  IMMEDIATE_MAP,
  type Instruction,
  JUMP,
  LDDW,
  MODE,
  SIZE,
  SOURCE,
} from "#property-tests/isa/encoding.ts";

const SIZES = { b: SIZE.B, h: SIZE.H, w: SIZE.W, dw: SIZE.DW } as const;
const ORDERED_SIZES = { 8: SIZE.B, 16: SIZE.H, 32: SIZE.W, 64: SIZE.DW } as const;
const JUMPS = ["jeq", "jgt", "jge", "jset", "jne", "jsgt", "jsge", "jlt", "jle", "jslt", "jsle"];
const BINARY = ["add", "sub", "mul", "div", "or", "and", "lsh", "rsh", "mod", "xor", "mov", "arsh"];

type Encoder = (statement: Statement) => Partial<Instruction>[];

const ENCODERS: ReadonlyMap<string, Encoder> = new Map(encoders());

/** The slots of one line; a jump to a label is left at distance 0. Throws `AssemblerError`. */
export function encodeStatement(statement: Statement): Instruction[] {
  const encoder = ENCODERS.get(statement.mnemonic) ?? statement.fail("no such instruction");
  return encoder(statement).map((fields) => ({
    opcode: 0,
    dst: 0,
    src: 0,
    offset: 0,
    imm: 0,
    ...fields,
  }));
}

function* encoders(): Generator<[string, Encoder]> {
  for (const [suffix, kind] of [
    ["", CLASS.ALU64],
    ["32", CLASS.ALU],
  ] as const) {
    for (const name of BINARY) {
      yield [name + suffix, binary(kind | ALU[name.toUpperCase() as keyof typeof ALU], 0)];
    }
    yield [`sdiv${suffix}`, binary(kind | ALU.DIV, 1)];
    yield [`smod${suffix}`, binary(kind | ALU.MOD, 1)];
    yield [`neg${suffix}`, unary(kind | ALU.NEG, 0)];
  }
  for (const [from, to, kind] of [
    [8, 32, CLASS.ALU],
    [16, 32, CLASS.ALU],
    [8, 64, CLASS.ALU64],
    [16, 64, CLASS.ALU64],
    [32, 64, CLASS.ALU64],
  ] as const) {
    yield [`movsx${from}${to}`, moveSignExtended(kind | ALU.MOV | SOURCE.X, from)];
  }
  for (const width of [16, 32, 64]) {
    yield [`le${width}`, unary(CLASS.ALU | ALU.END, width)];
    yield [`be${width}`, unary(CLASS.ALU | ALU.END | SOURCE.X, width)];
    yield [`swap${width}`, unary(CLASS.ALU64 | ALU.END, width)];
    yield [`bswap${width}`, unary(CLASS.ALU64 | ALU.END, width)];
  }
  for (const name of JUMPS) {
    const code = JUMP[name.toUpperCase() as keyof typeof JUMP];
    yield [name, conditional(CLASS.JMP | code)];
    yield [`${name}32`, conditional(CLASS.JMP32 | code)];
  }
  for (const [suffix, size] of Object.entries(SIZES)) {
    yield [`ldx${suffix}`, load(CLASS.LDX | MODE.MEM | size)];
    if (suffix !== "dw") yield [`ldxs${suffix}`, load(CLASS.LDX | MODE.MEMSX | size)];
    yield [`st${suffix}`, storeImmediate(CLASS.ST | MODE.MEM | size)];
    yield [`stx${suffix}`, storeRegister(CLASS.STX | MODE.MEM | size, 0)];
  }
  for (const [bits, size] of Object.entries(ORDERED_SIZES)) {
    const opcode = CLASS.STX | MODE.ATOMIC | size;
    yield [`load_acquire${bits}`, load(opcode, ATOMIC.LOAD_ACQUIRE)];
    yield [`store_release${bits}`, storeRegister(opcode, ATOMIC.STORE_RELEASE)];
  }
  yield ["lddw", loadImmediate];
  yield ["lock", atomic];
  yield ["ja", jump(CLASS.JMP | JUMP.JA, "offset")];
  yield ["ja32", jump(CLASS.JMP32 | JUMP.JA, "imm")];
  yield ["call", call];
  yield ["exit", exit];
}

function binary(opcode: number, offset: number): Encoder {
  return (statement) => {
    statement.expectOperands(2);
    const dst = statement.register(0);
    return statement.isRegister(1)
      ? [{ opcode: opcode | SOURCE.X, dst, src: statement.register(1), offset }]
      : [{ opcode: opcode | SOURCE.K, dst, imm: statement.imm32(1), offset }];
  };
}

function unary(opcode: number, imm: number): Encoder {
  return (statement) => {
    statement.expectOperands(1);
    return [{ opcode, dst: statement.register(0), imm }];
  };
}

function moveSignExtended(opcode: number, width: number): Encoder {
  return (statement) => {
    statement.expectOperands(2);
    return [{ opcode, dst: statement.register(0), src: statement.register(1), offset: width }];
  };
}

function conditional(opcode: number): Encoder {
  return (statement) => {
    statement.expectOperands(3);
    const dst = statement.register(0);
    const offset = statement.jump(2, "offset");
    return statement.isRegister(1)
      ? [{ opcode: opcode | SOURCE.X, dst, src: statement.register(1), offset }]
      : [{ opcode: opcode | SOURCE.K, dst, imm: statement.imm32(1), offset }];
  };
}

function load(opcode: number, imm = 0): Encoder {
  return (statement) => {
    statement.expectOperands(2);
    const { register, offset } = statement.memory(1);
    return [{ opcode, dst: statement.register(0), src: register, offset, imm }];
  };
}

function storeImmediate(opcode: number): Encoder {
  return (statement) => {
    statement.expectOperands(2);
    const { register, offset } = statement.memory(0);
    return [{ opcode, dst: register, offset, imm: statement.imm32(1) }];
  };
}

function storeRegister(opcode: number, imm: number): Encoder {
  return (statement) => {
    statement.expectOperands(2);
    const { register, offset } = statement.memory(0);
    return [{ opcode, dst: register, src: statement.register(1), offset, imm }];
  };
}

/** `lddw %rN, value`, `lddw %rN, map n`. */
function loadImmediate(statement: Statement): Partial<Instruction>[] {
  statement.expectOperands(2);
  const [kind, number] = splitOnce(statement.operand(1));
  if (kind === "map") {
    const map = new Statement(statement.line, statement.mnemonic, [number]);
    const dst = statement.register(0);
    return [{ opcode: LDDW, dst, src: IMMEDIATE_MAP, imm: map.imm32(0) }, {}];
  }
  const value = BigInt.asIntN(64, statement.integer(1, -(2n ** 63n), 2n ** 64n - 1n));
  const low = Number(BigInt.asIntN(32, value));
  return [{ opcode: LDDW, dst: statement.register(0), imm: low }, { imm: Number(value >> 32n) }];
}

/** `lock [fetch] <operation>[32] [%rN+offset], %rN`. */
function atomic(statement: Statement): Partial<Instruction>[] {
  statement.expectOperands(2);
  const match = /^(fetch\s+)?([a-z]+)(32)?\s+(\[.*)$/.exec(statement.operand(0));
  if (match === null) return statement.fail(`no operation in ${statement.operand(0)}`);
  const [, fetch, name = "", narrow, memory = ""] = match;
  const code = { add: ATOMIC.ADD, or: ATOMIC.OR, and: ATOMIC.AND, xor: ATOMIC.XOR }[name];
  const exchange = { xchg: ATOMIC.XCHG, cmpxchg: ATOMIC.CMPXCHG }[name];
  const imm = exchange ?? code ?? statement.fail(`no operation ${name}`);
  const size = narrow === undefined ? SIZE.DW : SIZE.W;
  const operands = new Statement(statement.line, `lock ${name}`, [memory, statement.operand(1)]);
  return storeRegister(
    CLASS.STX | MODE.ATOMIC | size,
    fetch === undefined ? imm : imm | ATOMIC.FETCH,
  )(operands);
}

function jump(opcode: number, field: "offset" | "imm"): Encoder {
  return (statement) => {
    statement.expectOperands(1);
    return [{ opcode, [field]: statement.jump(0, field) }];
  };
}

/** `call n`, `call helper n`, `call local target`, `call runtime n`, `call %rN`. */
function call(statement: Statement): Partial<Instruction>[] {
  statement.expectOperands(1);
  const [first = "", second = ""] = splitOnce(statement.operand(0));
  if (second === "" && statement.isRegister(0)) {
    return [{ opcode: CALL_REGISTER, dst: statement.register(0) }];
  }
  const [mode, target] = second === "" ? ["helper", first] : [first, second];
  const src = { helper: CALL.HELPER, local: CALL.LOCAL, runtime: CALL.RUNTIME }[mode];
  if (src === undefined) return statement.fail(`no kind of call ${mode}`);
  const operand = new Statement(statement.line, statement.mnemonic, [target]);
  const imm = src === CALL.LOCAL ? operand.jump(0, "imm") : operand.imm32(0);
  statement.target = operand.target;
  return [{ opcode: CALL_HELPER, src, imm }];
}

function exit(statement: Statement): Partial<Instruction>[] {
  statement.expectOperands(0);
  return [{ opcode: EXIT }];
}
