/**
 * Every way to spoil an instruction of the table: each unused field set, each opcode that no row has.
 * A runtime must refuse all of them at load.
 */

import {
  ALU,
  ATOMIC,
  CALL,
  CALL_HELPER,
  CLASS,
  EXIT,
  encode,
  type Instruction,
  JUMP,
  LDDW,
  MODE,
  SIZE,
} from "#property-tests/isa/encoding.ts";
import {
  ANY,
  findForm,
  INSTRUCTION_FORMS,
  type InstructionForm,
  R,
} from "#property-tests/isa/opcodes.ts";

export interface SpoiledProgram {
  /** What was done to which instruction (`"ldxw: imm is 1"`). */
  readonly name: string;
  readonly program: Uint8Array;
}

/** Rows that mean something in a bare program, and that stand on their own. */
export const PLAIN_FORMS: readonly InstructionForm[] = INSTRUCTION_FORMS.filter(
  ({ group, name }) => group !== "platform" && group !== "packet" && name !== "lddw, second slot",
);

/** A valid program with one instruction of this row: r0 to r9 are set, so are 8 bytes below r10. */
export function validProgram(form: InstructionForm): Uint8Array {
  return encode(programOf(exampleOf(form)));
}

/** The same, for every unused field of every row, with that field set. */
export function* unusedFieldsSet(): Generator<SpoiledProgram> {
  for (const form of PLAIN_FORMS) {
    for (const field of ["dst", "src", "offset", "imm"] as const) {
      if (form[field] === R || form[field] === ANY) continue;
      for (const value of field === "dst" || field === "src" ? [1, 9] : [1, -1, 0x100, 0x1000]) {
        const spoiled = { ...exampleOf(form), [field]: value };
        if (findForm(spoiled) !== undefined) continue;
        yield { name: `${form.name}: ${field} is ${value}`, program: encode(programOf(spoiled)) };
      }
    }
  }
}

/** Opcodes that Linux has and the specification has not. */
const KERNEL_ONLY = new Set([CLASS.JMP | 0xe0]); // may_goto

export function* unknownOpcodes(): Generator<SpoiledProgram> {
  const known = new Set(INSTRUCTION_FORMS.map(({ opcode }) => opcode));
  for (let opcode = 0; opcode < 256; opcode++) {
    if (known.has(opcode) || KERNEL_ONLY.has(opcode)) continue;
    const instruction = { opcode, dst: 0, src: 0, offset: 0, imm: 0 };
    const name = `opcode 0x${opcode.toString(16).padStart(2, "0")}`;
    yield { name, program: encode(programOf(instruction)) };
  }
}

/** Registers from 11 on, wherever an instruction takes one. */
export function* missingRegisters(): Generator<SpoiledProgram> {
  for (const form of PLAIN_FORMS) {
    for (const field of ["dst", "src"] as const) {
      if (form[field] !== R) continue;
      for (const register of [11, 15]) {
        const program = encode(programOf({ ...exampleOf(form), [field]: register }));
        yield { name: `${form.name}: ${field} is r${register}`, program };
      }
    }
  }
}

/** Where a jump may not go, as slots of `jumpingProgram`. */
const BAD_TARGETS = [
  ["past the end", 18],
  ["before the start", -1],
  ["into a 64-bit immediate", 14],
  ["into another function", 16],
] as const;
const JUMP_SLOT = 12;
/** Where its other function begins. */
const CALLED_SLOT = 16;

/** The same programs with targets that are right. */
export function* validJumps(): Generator<SpoiledProgram> {
  for (const form of PLAIN_FORMS) {
    const field = targetField(form);
    if (field === undefined) continue;
    const jump = {
      ...exampleOf(form),
      [field]: isLocalCall(form) ? CALLED_SLOT - JUMP_SLOT - 1 : 0,
    };
    yield { name: form.name, program: encode(jumpingProgram(jump)) };
  }
}

/** Every jump and local call of the table, with each target that it may not have. */
export function* invalidJumps(): Generator<SpoiledProgram> {
  for (const form of PLAIN_FORMS) {
    const field = targetField(form);
    if (field === undefined) continue;
    for (const [where, slot] of BAD_TARGETS) {
      // A function that is called starts there.
      if (isLocalCall(form) && where === "into another function") continue;
      const jump = { ...exampleOf(form), [field]: slot - JUMP_SLOT - 1 };
      yield { name: `${form.name}: ${where}`, program: encode(jumpingProgram(jump)) };
    }
  }
}

/** Programs that end in the middle of something. */
export function* unfinishedPrograms(): Generator<SpoiledProgram> {
  const move: Instruction = { opcode: CLASS.ALU64 | ALU.MOV, dst: 0, src: 0, offset: 0, imm: 0 };
  const exit: Instruction = { ...move, opcode: EXIT };
  const call: Instruction = { ...move, opcode: CALL_HELPER, src: CALL.LOCAL, imm: 1 };
  const lddw: Instruction = { ...move, opcode: LDDW };
  const next: Instruction = { ...move, opcode: CLASS.JMP | JUMP.JA };
  yield { name: "no instruction", program: encode([]) };
  yield { name: "half an instruction", program: encode([move, exit]).subarray(0, 12) };
  yield { name: "no exit", program: encode([move]) };
  yield { name: "half a 64-bit immediate", program: encode([move, lddw]) };
  yield { name: "a jump off the end", program: encode([move, next]) };
  yield { name: "a call as the last instruction", program: encode([move, { ...call, imm: -2 }]) };
  yield {
    name: "a function that runs into the next",
    program: encode([move, call, move, move, exit]),
  };
  yield { name: "a called function without an exit", program: encode([call, exit, move]) };
}

function isLocalCall({ opcode, src }: InstructionForm): boolean {
  return opcode === CALL_HELPER && src === CALL.LOCAL;
}

/** The field that says where the instruction jumps to. */
function targetField(form: InstructionForm): "offset" | "imm" | undefined {
  const kind = form.opcode & 0x07;
  if (kind !== CLASS.JMP && kind !== CLASS.JMP32) return undefined;
  if (isLocalCall(form)) return "imm";
  if (form.offset === ANY) return "offset";
  return form.opcode === (CLASS.JMP32 | JUMP.JA) ? "imm" : undefined;
}

/** The jump in slot 12, an LDDW in 13 and 14, the exit in 15, and in 16 a function that is called. */
function jumpingProgram(jump: Instruction): Instruction[] {
  const blank = { dst: 0, src: 0, offset: 0, imm: 0 };
  const code = programOf(jump);
  const before = code.slice(0, JUMP_SLOT - 1);
  const move = { ...blank, opcode: CLASS.ALU64 | ALU.MOV };
  const exit = { ...blank, opcode: EXIT };
  return [
    ...before,
    { ...blank, opcode: CALL_HELPER, src: CALL.LOCAL, imm: CALLED_SLOT - JUMP_SLOT },
    jump,
    { ...blank, opcode: LDDW },
    { ...blank, opcode: 0 },
    exit,
    move,
    exit,
  ];
}

/** bpf_ktime_get_ns, which every kind of program may call. */
const HELPER = 5;

/** An instruction that does no harm after the set-up of `programOf`. */
function exampleOf(form: InstructionForm): Instruction {
  const field = (value: string | number, any: number) => (typeof value === "number" ? value : any);
  const kind = form.opcode & 0x07;
  const onMemory = [CLASS.LDX, CLASS.ST, CLASS.STX].some((one) => one === kind);
  const baseIsSource =
    kind === CLASS.LDX || (kind === CLASS.STX && form.imm === ATOMIC.LOAD_ACQUIRE);
  return {
    opcode: form.opcode,
    dst: field(form.dst, onMemory && !baseIsSource ? 10 : 6),
    src: field(form.src, baseIsSource ? 10 : 7),
    offset: field(form.offset, onMemory ? -8 : 0),
    imm: field(form.imm, exampleImmediate(form)),
  };
}

function exampleImmediate({ opcode, src }: InstructionForm): number {
  if (opcode === (CLASS.JMP32 | JUMP.JA)) return 0;
  return opcode === CALL_HELPER && src === CALL.HELPER ? HELPER : 1;
}

function programOf(instruction: Instruction): Instruction[] {
  const blank = { dst: 0, src: 0, offset: 0, imm: 0 };
  const code: Instruction[] = [
    { ...blank, opcode: CLASS.ST | MODE.MEM | SIZE.DW, dst: 10, offset: -8 },
  ];
  for (let dst = 0; dst < 10; dst++) {
    // The number of a helper, for callx; no other instruction cares.
    code.push({ ...blank, opcode: CLASS.ALU64 | ALU.MOV, dst, imm: HELPER });
  }
  code.push(instruction);
  const { opcode } = instruction;
  if (opcode === EXIT) return code;
  if (opcode === LDDW) code.push({ ...blank, opcode: 0 });
  code.push({ ...blank, opcode: EXIT });
  if (opcode === CALL_HELPER && instruction.src === CALL.LOCAL) {
    code.push({ ...blank, opcode: CLASS.ALU64 | ALU.MOV }, { ...blank, opcode: EXIT });
  }
  return code;
}
