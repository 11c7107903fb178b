/**
 * Text of a generated case. It is a chain of checks: r9 counts those that passed, the first that fails
 * ends the program, and r0 is the count. So a wrong answer tells which check went wrong.
 */

export interface GeneratedCase {
  /** Path below the folder of cases, without `.data`. */
  readonly name: string;
  readonly text: string;
}

/** Marks a file as written by `generate_cases.ts`; the rest of the line says what it is about. */
export const GENERATED = "# Generated: ";

export class CaseText {
  readonly #title: string;
  readonly #lines: string[] = [];
  readonly #notes: string[] = [];
  #memory = "";
  #checks = 0;
  #labels = 0;

  constructor(title: string) {
    this.#title = title;
  }

  /** Linux refuses the program, because of its own rule `reason`. */
  kernelRejects(reason: string): this {
    this.#notes.push(`# kernel: rejects, ${reason}`);
    return this;
  }

  /** What r1 points to, as hex bytes. */
  memory(bytes: string): this {
    this.#memory = bytes;
    return this;
  }

  add(...lines: readonly string[]): this {
    this.#lines.push(...lines);
    return this;
  }

  /** Loads a 64-bit constant, in the shortest way. */
  constant(register: number, value: bigint): this {
    return this.add(constantLine(register, value));
  }

  /** The register must hold `value`; `scratch` may be overwritten. */
  expect(register: number, value: bigint, scratch: number): this {
    const signed = BigInt.asIntN(64, value);
    if (fitsImmediate(signed)) this.add(`jne %r${register}, ${decimalOrHex(signed)}, done`);
    else this.constant(scratch, value).add(`jne %r${register}, %r${scratch}, done`);
    return this.passed();
  }

  /** Ends a check that jumped to `done` on failure. */
  passed(): this {
    this.#checks++;
    return this.add("add %r9, 1", "");
  }

  /** A label that no other check uses. */
  label(): string {
    this.#labels++;
    return `check${this.#labels}`;
  }

  finish(name: string): GeneratedCase {
    const memory = this.#memory === "" ? [] : ["-- mem", this.#memory];
    const lines = [
      GENERATED + this.#title,
      ...this.#notes,
      ...memory,
      "-- asm",
      "mov %r9, 0",
      ...this.#lines,
      "done:",
      "mov %r0, %r9",
      "exit",
      "-- result",
      String(this.#checks),
    ];
    return { name, text: `${lines.join("\n")}\n` };
  }
}

export function constantLine(register: number, value: bigint): string {
  const signed = BigInt.asIntN(64, value);
  return fitsImmediate(signed)
    ? `mov %r${register}, ${decimalOrHex(signed)}`
    : `lddw %r${register}, 0x${BigInt.asUintN(64, value).toString(16)}`;
}

/** Small numbers in decimal, others in hex; negative ones keep their sign. */
export function decimalOrHex(value: bigint): string {
  if (value > -4096n && value < 4096n) return String(value);
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

function fitsImmediate(value: bigint): boolean {
  return value === BigInt.asIntN(32, value);
}

/** Three different registers of r0 to r8, other ones for every check. */
export function rotateRegisters(check: number): readonly [number, number, number] {
  const first = (check * 4) % 9;
  return [first, (first + 3) % 9, (first + 7) % 9];
}
