/** Encoding of BPF instructions (RFC 9669): fields of the 8-byte slot and the numbers in them. */

export const SLOT_BYTES = 8;

/** Low three bits of the opcode. */
export const CLASS = {
  LD: 0,
  LDX: 1,
  ST: 2,
  STX: 3,
  ALU: 4,
  JMP: 5,
  JMP32: 6,
  ALU64: 7,
} as const;

/** Opcodes that the loader looks for. */
export const OPCODE = {
  LDDW: 0x18,
  JA: 0x05,
  JA32: 0x06,
  CALL: 0x85,
  CALLX: 0x8d,
  EXIT: 0x95,
  MAY_GOTO: 0xe5,
} as const;

/** `src` of an LDDW whose immediate is no number. */
export const LDDW_SOURCE = { MAP: 1, MAP_VALUE: 2, BTF_ID: 3, FUNCTION: 4 } as const;

/** `src` of a call. */
export const CALL_SOURCE = { HELPER: 0, LOCAL: 1, KERNEL_FUNCTION: 2 } as const;

export const FRAME_POINTER = 10;

export interface Instruction {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  /** Signed, 16 bits. */
  readonly offset: number;
  /** Signed, 32 bits. */
  readonly imm: number;
}

/**
 * Little-endian instructions, by slot. Reads and writes the bytes it is given; who writes them
 * otherwise does it before the first `at`, which remembers what it read.
 */
export class Code {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #read: (Instruction | undefined)[] = [];

  /** `bytes.length` must be a multiple of 8. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get slots(): number {
    return this.bytes.length / SLOT_BYTES;
  }

  at(slot: number): Instruction {
    const known = this.#read[slot];
    if (known !== undefined) return known;
    const instruction = this.#decode(slot);
    this.#read[slot] = instruction;
    return instruction;
  }

  #decode(slot: number): Instruction {
    const at = slot * SLOT_BYTES;
    const registers = this.#view.getUint8(at + 1);
    return {
      opcode: this.#view.getUint8(at),
      dst: registers & 0xf,
      src: registers >>> 4,
      offset: this.#view.getInt16(at + 2, true),
      imm: this.#view.getInt32(at + 4, true),
    };
  }

  opcode(slot: number): number {
    return this.#view.getUint8(slot * SLOT_BYTES);
  }

  source(slot: number): number {
    return this.#view.getUint8(slot * SLOT_BYTES + 1) >>> 4;
  }

  imm(slot: number): number {
    return this.#view.getInt32(slot * SLOT_BYTES + 4, true);
  }

  set(slot: number, instruction: Instruction): void {
    const at = slot * SLOT_BYTES;
    this.#read[slot] = undefined;
    this.#view.setUint8(at, instruction.opcode);
    this.#view.setUint8(at + 1, (instruction.src << 4) | instruction.dst);
    this.#view.setInt16(at + 2, instruction.offset, true);
    this.#view.setInt32(at + 4, instruction.imm, true);
  }

  setImm(slot: number, imm: number): void {
    this.#read[slot] = undefined;
    this.#view.setInt32(slot * SLOT_BYTES + 4, imm, true);
  }

  setSource(slot: number, source: number): void {
    const at = slot * SLOT_BYTES + 1;
    this.#read[slot] = undefined;
    this.#view.setUint8(at, (source << 4) | (this.#view.getUint8(at) & 0xf));
  }

  /** Whether the slot holds the first half of a 64-bit immediate load, and the second is there. */
  isLddw(slot: number): boolean {
    return this.opcode(slot) === OPCODE.LDDW && slot + 1 < this.slots;
  }
}
