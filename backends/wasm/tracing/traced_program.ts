/** What a trace says about the slots of a program, each worked out once. */
import { disassembleAt } from "#wasm/loader/disassemble.ts";
import { Code, type Instruction } from "#wasm/loader/instructions.ts";
import type { LineEntry, LinkedProgram, Subprogram } from "#wasm/loader/linked_program.ts";

export class TracedProgram {
  readonly linked: LinkedProgram;
  readonly instructions: readonly Instruction[];
  readonly #functions: readonly Subprogram[];
  readonly #lines: (LineEntry | undefined)[];
  readonly #texts: (string | undefined)[] = [];

  constructor(linked: LinkedProgram) {
    this.linked = linked;
    const code = new Code(linked.code);
    this.instructions = Array.from({ length: code.slots }, (_, slot) => code.at(slot));
    this.#functions = linked.subprograms.flatMap((one) => new Array(one.length).fill(one));
    this.#lines = new Array(code.slots).fill(undefined);
    linked.lines.forEach((line, index) => {
      const one = this.#functions[line.slot]!;
      const next = linked.lines[index + 1]?.slot ?? code.slots;
      this.#lines.fill(line, line.slot, Math.min(next, one.start + one.length));
    });
  }

  get name(): string {
    return this.linked.name;
  }

  get hasLines(): boolean {
    return this.linked.lines.length > 0;
  }

  /** Undefined where the object does not say. */
  line(slot: number): LineEntry | undefined {
    return this.#lines[slot];
  }

  text(slot: number): string {
    this.#texts[slot] ??= disassembleAt(this.linked, slot);
    return this.#texts[slot];
  }

  functionName(slot: number): string {
    return this.#functions[slot]!.name;
  }
}
