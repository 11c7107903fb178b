/**
 * A reference interpreter, written from the text of RFC 9669: slow, in BigInt, one statement of the
 * specification after the other. It is the oracle that says what an engine should have answered;
 * Linux, through `kernel_check.ts`, is the oracle of this file.
 *
 * It is stricter than a processor: what the kernel's verifier would refuse (reading a register that
 * was never written, memory outside an object, a misaligned atomic) is an error here as well.
 */

import {
  ALU,
  ATOMIC,
  CALL,
  CALL_REGISTER,
  CLASS,
  decode,
  EXIT,
  FRAME_POINTER,
  type Instruction,
  JUMP,
  MODE,
  SOURCE,
} from "#property-tests/isa/encoding.ts";
import { loadChecked, ProgramRejected } from "#property-tests/isa/reference_checks.ts";
import {
  DEFAULT_LAYOUT,
  FRAMES_MAX,
  type Layout,
  Memory,
} from "#property-tests/isa/reference_memory.ts";
import {
  arithmetic,
  atomicResult,
  byteSwap,
  compare,
  signExtend,
} from "#property-tests/isa/reference_operations.ts";

export { ProgramRejected };

/** A helper: r1 to r5 in, r0 out. */
export type Helper = (...arguments_: readonly bigint[]) => bigint;

export interface ExecuteOptions {
  readonly memory?: Uint8Array;
  readonly helpers?: ReadonlyMap<number, Helper>;
  readonly layout?: Layout;
  /** Instructions after which the run is given up; default one million. */
  readonly instructions_max?: number;
  /** Called after every instruction; `taken` is defined for conditional jumps only. */
  readonly trace?: (instruction: Instruction, taken: boolean | undefined) => void;
  /** Called before every instruction with r0 to r10, which change after; undefined is what nobody may read. */
  readonly before?: (slot: number, registers: readonly (bigint | undefined)[]) => void;
}

/**
 * Runs a program and returns r0, unsigned. r1 is the address of `memory` (which the program may
 * change), r2 its length. Throws `ProgramRejected` where the program is invalid or goes wrong.
 */
export function execute(program: Uint8Array, options: ExecuteOptions = {}): bigint {
  const helpers = options.helpers ?? new Map();
  const code = loadChecked(decode(program), program.length, helpers);
  return new Run(code, helpers, options).run();
}

interface Frame {
  readonly returnTo: number;
  readonly saved: readonly (bigint | undefined)[];
}

class Run {
  readonly #code: readonly Instruction[];
  readonly #helpers: ReadonlyMap<number, Helper>;
  readonly #options: ExecuteOptions;
  readonly #memory: Memory;
  readonly #registers: (bigint | undefined)[] = new Array(11).fill(undefined);
  readonly #frames: Frame[] = [];
  #slot = 0;

  constructor(
    code: readonly Instruction[],
    helpers: ReadonlyMap<number, Helper>,
    options: ExecuteOptions,
  ) {
    this.#code = code;
    this.#helpers = helpers;
    this.#options = options;
    const layout = options.layout ?? DEFAULT_LAYOUT;
    this.#memory = new Memory(options.memory ?? new Uint8Array(), layout);
    this.#registers[1] = layout.context;
    this.#registers[2] = BigInt(options.memory?.length ?? 0);
    this.#registers[FRAME_POINTER] = this.#memory.enterFrame();
  }

  run(): bigint {
    for (let count = 0; count < (this.#options.instructions_max ?? 1_000_000); count++) {
      const instruction = this.#code[this.#slot]!;
      this.#options.before?.(this.#slot, this.#registers);
      this.#slot++;
      if (instruction.opcode !== EXIT) {
        const taken = this.#step(instruction);
        this.#options.trace?.(instruction, taken);
        continue;
      }
      this.#options.trace?.(instruction, undefined);
      const r0 = this.#read(0);
      const frame = this.#frames.pop();
      if (frame === undefined) return r0;
      this.#leave(frame);
    }
    throw new ProgramRejected(this.#slot, "does not end");
  }

  /** Executes one instruction; returns whether a conditional jump was taken. */
  #step(instruction: Instruction): boolean | undefined {
    const { opcode } = instruction;
    switch (opcode & 0x07) {
      case CLASS.LD:
        this.#loadImmediate(instruction);
        return undefined;
      case CLASS.LDX:
        this.#load(instruction);
        return undefined;
      case CLASS.ST:
        this.#store(instruction, BigInt(instruction.imm));
        return undefined;
      case CLASS.STX:
        if ((opcode & 0xe0) === MODE.ATOMIC) this.#atomic(instruction);
        else this.#store(instruction, this.#read(instruction.src));
        return undefined;
      case CLASS.ALU:
        this.#arithmetic(instruction, 32);
        return undefined;
      case CLASS.ALU64:
        this.#arithmetic(instruction, 64);
        return undefined;
      case CLASS.JMP:
        return this.#jump(instruction, 64);
      default:
        return this.#jump(instruction, 32);
    }
  }

  #loadImmediate({ dst, imm }: Instruction): void {
    const high = this.#code[this.#slot]!.imm;
    this.#slot++;
    this.#write(dst, (BigInt(high) << 32n) | BigInt.asUintN(32, BigInt(imm)));
  }

  #load(instruction: Instruction): void {
    const bits = accessBits(instruction);
    const address = this.#address(instruction.src, instruction.offset);
    const value = this.#access(() => this.#memory.load(address, bits));
    const signed = (instruction.opcode & 0xe0) === MODE.MEMSX;
    this.#write(instruction.dst, signed ? signExtend(value, bits) : value);
  }

  #store(instruction: Instruction, value: bigint): void {
    const address = this.#address(instruction.dst, instruction.offset);
    this.#access(() => this.#memory.store(address, accessBits(instruction), value));
  }

  #atomic(instruction: Instruction): void {
    const { dst, src, offset, imm } = instruction;
    const bits = accessBits(instruction);
    const address = this.#address(imm === ATOMIC.LOAD_ACQUIRE ? src : dst, offset);
    if (address % BigInt(bits / 8) !== 0n) this.#fail(`atomic access to ${address} is misaligned`);
    if (imm === ATOMIC.STORE_RELEASE) {
      this.#access(() => this.#memory.store(address, bits, this.#read(src)));
      return;
    }
    const old = this.#access(() => this.#memory.load(address, bits));
    if (imm === ATOMIC.LOAD_ACQUIRE) {
      this.#write(dst, old);
      return;
    }
    const expected = imm === ATOMIC.CMPXCHG ? this.#read(0) : 0n;
    const value = atomicResult(imm, bits, old, this.#read(src), expected);
    this.#access(() => this.#memory.store(address, bits, value));
    if (imm === ATOMIC.CMPXCHG) this.#write(0, old);
    else if ((imm & ATOMIC.FETCH) !== 0) this.#write(src, old);
  }

  #arithmetic(instruction: Instruction, bits: 32 | 64): void {
    const { opcode, dst, imm, offset } = instruction;
    const operation = opcode & 0xf0;
    if (operation === ALU.END) {
      // On a little-endian host, "to little endian" only truncates.
      const swaps = bits === 64 || (opcode & SOURCE.X) !== 0;
      const value = BigInt.asUintN(imm, this.#read(dst));
      this.#write(dst, swaps ? byteSwap(value, imm) : value);
      return;
    }
    const operand = operation === ALU.NEG ? 0n : this.#operand(instruction);
    const value = operation === ALU.MOV ? 0n : this.#read(dst);
    this.#write(dst, arithmetic(operation, offset, bits, value, operand));
  }

  #jump(instruction: Instruction, bits: 32 | 64): boolean | undefined {
    const { opcode, dst, offset, imm } = instruction;
    const operation = opcode & 0xf0;
    if (operation === JUMP.CALL) {
      this.#call(instruction);
      return undefined;
    }
    if (operation === JUMP.JA) {
      this.#slot += bits === 32 ? imm : offset;
      return undefined;
    }
    const taken = compare(operation, bits, this.#read(dst), this.#operand(instruction));
    if (taken) this.#slot += offset;
    return taken;
  }

  #call({ opcode, dst, src, imm }: Instruction): void {
    if (opcode !== CALL_REGISTER && src === CALL.LOCAL) {
      this.#enter(this.#slot + imm);
      return;
    }
    const number = opcode === CALL_REGISTER ? Number(this.#read(dst)) : imm;
    const helper = this.#helpers.get(number) ?? this.#fail(`no helper ${number}`);
    const result = helper(...this.#registers.slice(1, 6).map((value) => value ?? 0n));
    this.#forgetArguments();
    this.#write(0, result);
  }

  /** A local call: r1 to r5 are passed, the callee has its own r6 to r9 and stack frame. */
  #enter(target: number): void {
    if (this.#frames.length + 1 >= FRAMES_MAX) this.#fail(`more than ${FRAMES_MAX} frames`);
    this.#frames.push({ returnTo: this.#slot, saved: this.#registers.slice(6, 11) });
    this.#registers[0] = undefined;
    this.#registers.fill(undefined, 6, 10);
    this.#registers[FRAME_POINTER] = this.#memory.enterFrame();
    this.#slot = target;
  }

  #leave(frame: Frame): void {
    this.#slot = frame.returnTo;
    frame.saved.forEach((value, index) => {
      this.#registers[6 + index] = value;
    });
    this.#memory.leaveFrame();
    this.#forgetArguments();
  }

  #forgetArguments(): void {
    this.#registers.fill(undefined, 1, 6);
  }

  /** The second operand: the source register, or the sign-extended immediate. */
  #operand({ opcode, src, imm }: Instruction): bigint {
    return (opcode & SOURCE.X) !== 0 ? this.#read(src) : BigInt.asUintN(64, BigInt(imm));
  }

  #address(register: number, offset: number): bigint {
    return BigInt.asUintN(64, this.#read(register) + BigInt(offset));
  }

  #read(register: number): bigint {
    return this.#registers[register] ?? this.#fail(`r${register} was never written`);
  }

  #write(register: number, value: bigint): void {
    this.#registers[register] = BigInt.asUintN(64, value);
  }

  #access<T>(operation: () => T): T {
    try {
      return operation();
    } catch (error) {
      return this.#fail((error as Error).message);
    }
  }

  #fail(problem: string): never {
    throw new ProgramRejected(this.#slot - 1, problem);
  }
}

function accessBits(instruction: Instruction): 8 | 16 | 32 | 64 {
  return ([32, 16, 8, 64] as const)[(instruction.opcode >> 3) & 0x3]!;
}
