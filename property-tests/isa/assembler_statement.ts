/** One line of assembly on its way to slots: its operands, read and checked. */

/** Text that is no program; `line` counts from 1. */
export class AssemblerError extends Error {
  readonly line: number;

  constructor(line: number, problem: string) {
    super(`line ${line}: ${problem}`);
    this.name = "AssemblerError";
    this.line = line;
  }
}

/** Hands out operands, and remembers the label that the line jumps to. */
export class Statement {
  readonly line: number;
  readonly mnemonic: string;
  readonly operands: readonly string[];
  target: { label: string; field: "offset" | "imm" } | undefined;

  constructor(line: number, mnemonic: string, operands: readonly string[]) {
    this.line = line;
    this.mnemonic = mnemonic;
    this.operands = operands;
  }

  fail(problem: string): never {
    throw new AssemblerError(this.line, `${this.mnemonic}: ${problem}`);
  }

  expectOperands(count: number): void {
    if (this.operands.length === count) return;
    this.fail(`takes ${count} operands, not ${this.operands.length}`);
  }

  operand(index: number): string {
    return this.operands[index] ?? this.fail(`operand ${index + 1} is missing`);
  }

  isRegister(index: number): boolean {
    return /^%|^r\d/.test(this.operand(index));
  }

  register(index: number): number {
    return this.#registerNumber(this.operand(index));
  }

  #registerNumber(text: string): number {
    const number = Number(/^%?r(\d+)$/.exec(text)?.[1] ?? -1);
    return number >= 0 && number <= 15 ? number : this.fail(`no register ${text}`);
  }

  integer(index: number, minimum: bigint, maximum: bigint): bigint {
    const text = this.operand(index);
    const value = parseInteger(text) ?? this.fail(`no number ${text}`);
    return value >= minimum && value <= maximum ? value : this.fail(`${text} is out of range`);
  }

  /** 32 bits, signed or unsigned, as the signed value with the same bits. */
  imm32(index: number): number {
    return Number(BigInt.asIntN(32, this.integer(index, -(2n ** 31n), 2n ** 32n - 1n)));
  }

  /** `[%rN]`, `[%rN+offset]` or `[%rN-offset]`. */
  memory(index: number): { readonly register: number; readonly offset: number } {
    const text = this.operand(index);
    const match = /^\[\s*(%?r\d+)\s*([+-]\s*\w+)?\s*\]$/.exec(text);
    if (match === null) return this.fail(`no memory operand ${text}`);
    const offset = match[2] === undefined ? 0n : parseInteger(match[2].replaceAll(/\s/g, ""));
    if (offset === undefined || offset < -0x8000n || offset > 0x7fffn) {
      return this.fail(`no 16-bit offset in ${text}`);
    }
    return { register: this.#registerNumber(match[1]!), offset: Number(offset) };
  }

  /** A jump target: 0 for a label, which is filled in at the end. */
  jump(index: number, field: "offset" | "imm"): number {
    const text = this.operand(index);
    if (/^[+-]/.test(text)) {
      const limit = field === "offset" ? 0x7fffn : 0x7fffffffn;
      return Number(this.integer(index, -limit - 1n, limit));
    }
    this.target = { label: text, field };
    return 0;
  }
}

/** The first word, and the rest of the text without the space between. */
export function splitOnce(text: string): [string, string] {
  const at = text.search(/\s/);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at).trim()];
}

function parseInteger(text: string): bigint | undefined {
  const match = /^([+-]?)(0x[0-9a-fA-F]+|\d+)$/.exec(text);
  if (match === null) return undefined;
  const value = BigInt(match[2]!);
  return match[1] === "-" ? -value : value;
}
