/**
 * The instruction table of RFC 9669 (appendix A) as data: every instruction is a row that says which
 * fields it uses. What no row allows is not an instruction, and a runtime must refuse it.
 *
 * Rows beyond the RFC: `callx` (reserved there; encoded as compilers do since LLVM 19, the
 * register in `dst`) and the kernel's load-acquire and store-release.
 */

export type ConformanceGroup =
  | "base32"
  | "base64"
  | "divmul32"
  | "divmul64"
  | "atomic32"
  | "atomic64"
  | "callx"
  /** Load-acquire and store-release: Linux 6.15. */
  | "acquire_release"
  /** Names an object of the platform (a map, a kernel function): meaningless in a bare program. */
  | "platform"
  /** Historical: access to packets. */
  | "packet";

/** Any register number that the field may hold. */
export const R = "register";
/** Any value. */
export const ANY = "any";

export type RegisterField = typeof R | number;
export type ValueField = typeof ANY | number;

export interface InstructionForm {
  readonly opcode: number;
  /** `R`, or the one number that the field holds; 0 where it is unused. */
  readonly dst: RegisterField;
  readonly src: RegisterField;
  readonly offset: ValueField;
  readonly imm: ValueField;
  readonly group: ConformanceGroup;
  readonly name: string;
}

type Row = readonly [
  opcode: number,
  dst: RegisterField,
  src: RegisterField,
  offset: ValueField,
  imm: ValueField,
  group: ConformanceGroup,
  name: string,
];

const ROWS: readonly Row[] = [
  [0x18, R, 0, 0, ANY, "base64", "lddw"],
  [0x00, 0, 0, 0, ANY, "base64", "lddw, second slot"],
  [0x18, R, 1, 0, ANY, "platform", "lddw map_by_fd"],
  [0x18, R, 2, 0, ANY, "platform", "lddw map_value_by_fd"],
  [0x18, R, 3, 0, ANY, "platform", "lddw variable_address"],
  [0x18, R, 4, 0, ANY, "platform", "lddw code_address"],
  [0x18, R, 5, 0, ANY, "platform", "lddw map_by_index"],
  [0x18, R, 6, 0, ANY, "platform", "lddw map_value_by_index"],
  [0x71, R, R, ANY, 0, "base32", "ldxb"],
  [0x69, R, R, ANY, 0, "base32", "ldxh"],
  [0x61, R, R, ANY, 0, "base32", "ldxw"],
  [0x79, R, R, ANY, 0, "base64", "ldxdw"],
  [0x91, R, R, ANY, 0, "base32", "ldxsb"],
  [0x89, R, R, ANY, 0, "base32", "ldxsh"],
  [0x81, R, R, ANY, 0, "base32", "ldxsw"],
  [0x72, R, 0, ANY, ANY, "base32", "stb"],
  [0x6a, R, 0, ANY, ANY, "base32", "sth"],
  [0x62, R, 0, ANY, ANY, "base32", "stw"],
  [0x7a, R, 0, ANY, ANY, "base64", "stdw"],
  [0x73, R, R, ANY, 0, "base32", "stxb"],
  [0x6b, R, R, ANY, 0, "base32", "stxh"],
  [0x63, R, R, ANY, 0, "base32", "stxw"],
  [0x7b, R, R, ANY, 0, "base64", "stxdw"],
  [0x04, R, 0, 0, ANY, "base32", "add32 imm"],
  [0x0c, R, R, 0, 0, "base32", "add32 reg"],
  [0x14, R, 0, 0, ANY, "base32", "sub32 imm"],
  [0x1c, R, R, 0, 0, "base32", "sub32 reg"],
  [0x24, R, 0, 0, ANY, "divmul32", "mul32 imm"],
  [0x2c, R, R, 0, 0, "divmul32", "mul32 reg"],
  [0x34, R, 0, 0, ANY, "divmul32", "div32 imm"],
  [0x3c, R, R, 0, 0, "divmul32", "div32 reg"],
  [0x34, R, 0, 1, ANY, "divmul32", "sdiv32 imm"],
  [0x3c, R, R, 1, 0, "divmul32", "sdiv32 reg"],
  [0x44, R, 0, 0, ANY, "base32", "or32 imm"],
  [0x4c, R, R, 0, 0, "base32", "or32 reg"],
  [0x54, R, 0, 0, ANY, "base32", "and32 imm"],
  [0x5c, R, R, 0, 0, "base32", "and32 reg"],
  [0x64, R, 0, 0, ANY, "base32", "lsh32 imm"],
  [0x6c, R, R, 0, 0, "base32", "lsh32 reg"],
  [0x74, R, 0, 0, ANY, "base32", "rsh32 imm"],
  [0x7c, R, R, 0, 0, "base32", "rsh32 reg"],
  [0x84, R, 0, 0, 0, "base32", "neg32"],
  [0x94, R, 0, 0, ANY, "divmul32", "mod32 imm"],
  [0x9c, R, R, 0, 0, "divmul32", "mod32 reg"],
  [0x94, R, 0, 1, ANY, "divmul32", "smod32 imm"],
  [0x9c, R, R, 1, 0, "divmul32", "smod32 reg"],
  [0xa4, R, 0, 0, ANY, "base32", "xor32 imm"],
  [0xac, R, R, 0, 0, "base32", "xor32 reg"],
  [0xb4, R, 0, 0, ANY, "base32", "mov32 imm"],
  [0xbc, R, R, 0, 0, "base32", "mov32 reg"],
  [0xbc, R, R, 8, 0, "base32", "movsx832"],
  [0xbc, R, R, 16, 0, "base32", "movsx1632"],
  [0xc4, R, 0, 0, ANY, "base32", "arsh32 imm"],
  [0xcc, R, R, 0, 0, "base32", "arsh32 reg"],
  [0x07, R, 0, 0, ANY, "base64", "add imm"],
  [0x0f, R, R, 0, 0, "base64", "add reg"],
  [0x17, R, 0, 0, ANY, "base64", "sub imm"],
  [0x1f, R, R, 0, 0, "base64", "sub reg"],
  [0x27, R, 0, 0, ANY, "divmul64", "mul imm"],
  [0x2f, R, R, 0, 0, "divmul64", "mul reg"],
  [0x37, R, 0, 0, ANY, "divmul64", "div imm"],
  [0x3f, R, R, 0, 0, "divmul64", "div reg"],
  [0x37, R, 0, 1, ANY, "divmul64", "sdiv imm"],
  [0x3f, R, R, 1, 0, "divmul64", "sdiv reg"],
  [0x47, R, 0, 0, ANY, "base64", "or imm"],
  [0x4f, R, R, 0, 0, "base64", "or reg"],
  [0x57, R, 0, 0, ANY, "base64", "and imm"],
  [0x5f, R, R, 0, 0, "base64", "and reg"],
  [0x67, R, 0, 0, ANY, "base64", "lsh imm"],
  [0x6f, R, R, 0, 0, "base64", "lsh reg"],
  [0x77, R, 0, 0, ANY, "base64", "rsh imm"],
  [0x7f, R, R, 0, 0, "base64", "rsh reg"],
  [0x87, R, 0, 0, 0, "base64", "neg"],
  [0x97, R, 0, 0, ANY, "divmul64", "mod imm"],
  [0x9f, R, R, 0, 0, "divmul64", "mod reg"],
  [0x97, R, 0, 1, ANY, "divmul64", "smod imm"],
  [0x9f, R, R, 1, 0, "divmul64", "smod reg"],
  [0xa7, R, 0, 0, ANY, "base64", "xor imm"],
  [0xaf, R, R, 0, 0, "base64", "xor reg"],
  [0xb7, R, 0, 0, ANY, "base64", "mov imm"],
  [0xbf, R, R, 0, 0, "base64", "mov reg"],
  [0xbf, R, R, 8, 0, "base64", "movsx864"],
  [0xbf, R, R, 16, 0, "base64", "movsx1664"],
  [0xbf, R, R, 32, 0, "base64", "movsx3264"],
  [0xc7, R, 0, 0, ANY, "base64", "arsh imm"],
  [0xcf, R, R, 0, 0, "base64", "arsh reg"],
  [0xd4, R, 0, 0, 16, "base32", "le16"],
  [0xd4, R, 0, 0, 32, "base32", "le32"],
  [0xd4, R, 0, 0, 64, "base64", "le64"],
  [0xdc, R, 0, 0, 16, "base32", "be16"],
  [0xdc, R, 0, 0, 32, "base32", "be32"],
  [0xdc, R, 0, 0, 64, "base64", "be64"],
  [0xd7, R, 0, 0, 16, "base32", "bswap16"],
  [0xd7, R, 0, 0, 32, "base32", "bswap32"],
  [0xd7, R, 0, 0, 64, "base64", "bswap64"],
  [0x05, 0, 0, ANY, 0, "base32", "ja"],
  [0x06, 0, 0, 0, ANY, "base32", "ja32"],
  [0x15, R, 0, ANY, ANY, "base64", "jeq imm"],
  [0x1d, R, R, ANY, 0, "base64", "jeq reg"],
  [0x25, R, 0, ANY, ANY, "base64", "jgt imm"],
  [0x2d, R, R, ANY, 0, "base64", "jgt reg"],
  [0x35, R, 0, ANY, ANY, "base64", "jge imm"],
  [0x3d, R, R, ANY, 0, "base64", "jge reg"],
  [0x45, R, 0, ANY, ANY, "base64", "jset imm"],
  [0x4d, R, R, ANY, 0, "base64", "jset reg"],
  [0x55, R, 0, ANY, ANY, "base64", "jne imm"],
  [0x5d, R, R, ANY, 0, "base64", "jne reg"],
  [0x65, R, 0, ANY, ANY, "base64", "jsgt imm"],
  [0x6d, R, R, ANY, 0, "base64", "jsgt reg"],
  [0x75, R, 0, ANY, ANY, "base64", "jsge imm"],
  [0x7d, R, R, ANY, 0, "base64", "jsge reg"],
  [0xa5, R, 0, ANY, ANY, "base64", "jlt imm"],
  [0xad, R, R, ANY, 0, "base64", "jlt reg"],
  [0xb5, R, 0, ANY, ANY, "base64", "jle imm"],
  [0xbd, R, R, ANY, 0, "base64", "jle reg"],
  [0xc5, R, 0, ANY, ANY, "base64", "jslt imm"],
  [0xcd, R, R, ANY, 0, "base64", "jslt reg"],
  [0xd5, R, 0, ANY, ANY, "base64", "jsle imm"],
  [0xdd, R, R, ANY, 0, "base64", "jsle reg"],
  [0x16, R, 0, ANY, ANY, "base32", "jeq32 imm"],
  [0x1e, R, R, ANY, 0, "base32", "jeq32 reg"],
  [0x26, R, 0, ANY, ANY, "base32", "jgt32 imm"],
  [0x2e, R, R, ANY, 0, "base32", "jgt32 reg"],
  [0x36, R, 0, ANY, ANY, "base32", "jge32 imm"],
  [0x3e, R, R, ANY, 0, "base32", "jge32 reg"],
  [0x46, R, 0, ANY, ANY, "base32", "jset32 imm"],
  [0x4e, R, R, ANY, 0, "base32", "jset32 reg"],
  [0x56, R, 0, ANY, ANY, "base32", "jne32 imm"],
  [0x5e, R, R, ANY, 0, "base32", "jne32 reg"],
  [0x66, R, 0, ANY, ANY, "base32", "jsgt32 imm"],
  [0x6e, R, R, ANY, 0, "base32", "jsgt32 reg"],
  [0x76, R, 0, ANY, ANY, "base32", "jsge32 imm"],
  [0x7e, R, R, ANY, 0, "base32", "jsge32 reg"],
  [0xa6, R, 0, ANY, ANY, "base32", "jlt32 imm"],
  [0xae, R, R, ANY, 0, "base32", "jlt32 reg"],
  [0xb6, R, 0, ANY, ANY, "base32", "jle32 imm"],
  [0xbe, R, R, ANY, 0, "base32", "jle32 reg"],
  [0xc6, R, 0, ANY, ANY, "base32", "jslt32 imm"],
  [0xce, R, R, ANY, 0, "base32", "jslt32 reg"],
  [0xd6, R, 0, ANY, ANY, "base32", "jsle32 imm"],
  [0xde, R, R, ANY, 0, "base32", "jsle32 reg"],
  [0x85, 0, 0, 0, ANY, "base32", "call helper"],
  [0x85, 0, 1, 0, ANY, "base32", "call local"],
  [0x85, 0, 2, 0, ANY, "platform", "call runtime"],
  [0x8d, R, 0, 0, 0, "callx", "call register"],
  [0x95, 0, 0, 0, 0, "base32", "exit"],
  [0xc3, R, R, ANY, 0, "atomic32", "lock add32"],
  [0xc3, R, R, ANY, 0x01, "atomic32", "lock fetch add32"],
  [0xc3, R, R, ANY, 0x40, "atomic32", "lock or32"],
  [0xc3, R, R, ANY, 0x41, "atomic32", "lock fetch or32"],
  [0xc3, R, R, ANY, 0x50, "atomic32", "lock and32"],
  [0xc3, R, R, ANY, 0x51, "atomic32", "lock fetch and32"],
  [0xc3, R, R, ANY, 0xa0, "atomic32", "lock xor32"],
  [0xc3, R, R, ANY, 0xa1, "atomic32", "lock fetch xor32"],
  [0xc3, R, R, ANY, 0xe1, "atomic32", "lock xchg32"],
  [0xc3, R, R, ANY, 0xf1, "atomic32", "lock cmpxchg32"],
  [0xdb, R, R, ANY, 0, "atomic64", "lock add"],
  [0xdb, R, R, ANY, 0x01, "atomic64", "lock fetch add"],
  [0xdb, R, R, ANY, 0x40, "atomic64", "lock or"],
  [0xdb, R, R, ANY, 0x41, "atomic64", "lock fetch or"],
  [0xdb, R, R, ANY, 0x50, "atomic64", "lock and"],
  [0xdb, R, R, ANY, 0x51, "atomic64", "lock fetch and"],
  [0xdb, R, R, ANY, 0xa0, "atomic64", "lock xor"],
  [0xdb, R, R, ANY, 0xa1, "atomic64", "lock fetch xor"],
  [0xdb, R, R, ANY, 0xe1, "atomic64", "lock xchg"],
  [0xdb, R, R, ANY, 0xf1, "atomic64", "lock cmpxchg"],
  [0xd3, R, R, ANY, 0x100, "acquire_release", "load_acquire8"],
  [0xd3, R, R, ANY, 0x110, "acquire_release", "store_release8"],
  [0xcb, R, R, ANY, 0x100, "acquire_release", "load_acquire16"],
  [0xcb, R, R, ANY, 0x110, "acquire_release", "store_release16"],
  [0xc3, R, R, ANY, 0x100, "acquire_release", "load_acquire32"],
  [0xc3, R, R, ANY, 0x110, "acquire_release", "store_release32"],
  [0xdb, R, R, ANY, 0x100, "acquire_release", "load_acquire64"],
  [0xdb, R, R, ANY, 0x110, "acquire_release", "store_release64"],
  [0x20, 0, 0, 0, ANY, "packet", "ldabsw"],
  [0x28, 0, 0, 0, ANY, "packet", "ldabsh"],
  [0x30, 0, 0, 0, ANY, "packet", "ldabsb"],
  [0x40, 0, R, 0, ANY, "packet", "ldindw"],
  [0x48, 0, R, 0, ANY, "packet", "ldindh"],
  [0x50, 0, R, 0, ANY, "packet", "ldindb"],
];

export const INSTRUCTION_FORMS: readonly InstructionForm[] = ROWS.map(
  ([opcode, dst, src, offset, imm, group, name]) => ({
    opcode,
    dst,
    src,
    offset,
    imm,
    group,
    name,
  }),
);

const BY_OPCODE = Map.groupBy(INSTRUCTION_FORMS, (form) => form.opcode);

/** The row that allows this slot, or undefined where none does. */
export function findForm(instruction: {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  readonly offset: number;
  readonly imm: number;
}): InstructionForm | undefined {
  return BY_OPCODE.get(instruction.opcode)?.find(
    (form) =>
      fits(form.dst, instruction.dst) &&
      fits(form.src, instruction.src) &&
      fits(form.offset, instruction.offset) &&
      fits(form.imm, instruction.imm),
  );
}

function fits(field: RegisterField | ValueField, value: number): boolean {
  if (field === ANY) return true;
  if (field === R) return value <= 10;
  return field === value;
}

/** Conditional jumps: the forms that are taken or not. */
export function isConditionalJump(form: InstructionForm): boolean {
  return /^js?(eq|ne|gt|ge|lt|le|et)/.test(form.name);
}
