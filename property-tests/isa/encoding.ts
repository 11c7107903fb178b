/**
 * How an eBPF instruction is laid out in its 8 bytes (RFC 9669, sections 3 to 5), little-endian.
 *
 * The names are those of the specification; `opcodes.ts` says which combinations exist.
 */

/** Low three bits of an opcode. */
export const CLASS = {
  LD: 0x00,
  LDX: 0x01,
  ST: 0x02,
  STX: 0x03,
  ALU: 0x04,
  JMP: 0x05,
  JMP32: 0x06,
  ALU64: 0x07,
} as const;

/** Bit 3 of arithmetic and jump opcodes: the operand is `imm` (K) or the source register (X). */
export const SOURCE = { K: 0x00, X: 0x08 } as const;

/** High four bits of arithmetic opcodes. */
export const ALU = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  NEG: 0x80,
  MOD: 0x90,
  XOR: 0xa0,
  MOV: 0xb0,
  ARSH: 0xc0,
  END: 0xd0,
} as const;

/** High four bits of jump opcodes. */
export const JUMP = {
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JGE: 0x30,
  JSET: 0x40,
  JNE: 0x50,
  JSGT: 0x60,
  JSGE: 0x70,
  CALL: 0x80,
  EXIT: 0x90,
  JLT: 0xa0,
  JLE: 0xb0,
  JSLT: 0xc0,
  JSLE: 0xd0,
} as const;

/** Bits 3 and 4 of load and store opcodes. */
export const SIZE = { W: 0x00, H: 0x08, B: 0x10, DW: 0x18 } as const;

/** High three bits of load and store opcodes. */
export const MODE = {
  IMM: 0x00,
  ABS: 0x20,
  IND: 0x40,
  MEM: 0x60,
  MEMSX: 0x80,
  ATOMIC: 0xc0,
} as const;

/** `imm` of atomic instructions. LOAD_ACQUIRE and STORE_RELEASE are the kernel's, since 6.15. */
export const ATOMIC = {
  ADD: 0x00,
  OR: 0x40,
  AND: 0x50,
  XOR: 0xa0,
  FETCH: 0x01,
  XCHG: 0xe1,
  CMPXCHG: 0xf1,
  LOAD_ACQUIRE: 0x100,
  STORE_RELEASE: 0x110,
} as const;

/** `src` of a call. */
export const CALL = { HELPER: 0, LOCAL: 1, RUNTIME: 2 } as const;

/** `src` of an LDDW whose `imm` is the descriptor of a map. */
export const IMMEDIATE_MAP = 1;

export const LDDW = CLASS.LD | MODE.IMM | SIZE.DW;
export const EXIT = CLASS.JMP | JUMP.EXIT;
export const CALL_HELPER = CLASS.JMP | JUMP.CALL;
export const CALL_REGISTER = CLASS.JMP | JUMP.CALL | SOURCE.X;
export const FRAME_POINTER = 10;

/** One 8-byte slot. `offset` is signed 16 bits, `imm` signed 32 bits. */
export interface Instruction {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  readonly offset: number;
  readonly imm: number;
}

export const SLOT_BYTES = 8;

/** The instructions as bytes, 8 a slot. Fields are truncated to their widths. */
export function encode(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  instructions.forEach((instruction, slot) => {
    const at = slot * SLOT_BYTES;
    view.setUint8(at, instruction.opcode);
    view.setUint8(at + 1, (instruction.src << 4) | (instruction.dst & 0xf));
    view.setInt16(at + 2, instruction.offset, true);
    view.setInt32(at + 4, instruction.imm, true);
  });
  return bytes;
}

/** All slots of a program; a trailing part of a slot is ignored. */
export function decode(bytes: Uint8Array): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const instructions: Instruction[] = [];
  for (let at = 0; at + SLOT_BYTES <= bytes.length; at += SLOT_BYTES) {
    const registers = view.getUint8(at + 1);
    instructions.push({
      opcode: view.getUint8(at),
      dst: registers & 0xf,
      src: registers >> 4,
      offset: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    });
  }
  return instructions;
}
