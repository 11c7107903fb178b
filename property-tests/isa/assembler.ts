/**
 * Assembler for the text of conformance cases: one instruction a line, `#` starts a comment.
 *
 * Operands are `%r0`-`%r15` (the `%` may be left out; 11 to 15 exist for cases that must be refused),
 * immediates (decimal or hex, signed), `[%rN+offset]` and jump targets (a label, or `+n`/`-n` slots
 * from the next instruction). A label stands on a line of its own; the first `exit` is also labelled
 * `exit`.
 */

import { encodeStatement } from "#property-tests/isa/assembler_mnemonics.ts";
import { AssemblerError, Statement, splitOnce } from "#property-tests/isa/assembler_statement.ts";
import { encode, type Instruction } from "#property-tests/isa/encoding.ts";

export { AssemblerError };

/** The program as bytes. Throws `AssemblerError` at the first line that is no instruction. */
export function assemble(text: string): Uint8Array {
  return encode(assembleInstructions(text));
}

/** The program as slots; LDDW takes two. */
export function assembleInstructions(text: string): Instruction[] {
  const assembly = new Assembly();
  text.split("\n").forEach((raw, index) => {
    const line = (raw.split("#")[0] ?? "").trim();
    if (line !== "") assembly.addLine(index + 1, line);
  });
  return assembly.finish();
}

interface Fixup {
  readonly slot: number;
  readonly line: number;
  readonly label: string;
  readonly field: "offset" | "imm";
}

interface Encoded {
  readonly slots: readonly Instruction[];
  readonly target: Statement["target"];
}

/** Lines met before: random programs repeat most of theirs. Emptied when full. */
const encodedLines = new Map<string, Encoded>();
const ENCODED_LINES_MAX = 10_000;

function encodeLine(line: number, text: string): Encoded {
  const known = encodedLines.get(text);
  if (known !== undefined) return known;
  const [mnemonic = "", rest = ""] = splitOnce(text);
  const operands = rest === "" ? [] : rest.split(",").map((operand) => operand.trim());
  const statement = new Statement(line, mnemonic, operands);
  const encoded = { slots: encodeStatement(statement), target: statement.target };
  if (encodedLines.size >= ENCODED_LINES_MAX) encodedLines.clear();
  encodedLines.set(text, encoded);
  return encoded;
}

class Assembly {
  readonly #slots: Instruction[] = [];
  readonly #labels = new Map<string, number>();
  readonly #fixups: Fixup[] = [];
  #firstExit: number | undefined;

  addLine(line: number, text: string): void {
    const label = /^([A-Za-z_.][\w.]*):$/.exec(text)?.[1];
    if (label !== undefined) {
      if (this.#labels.has(label)) throw new AssemblerError(line, `label ${label} defined twice`);
      this.#labels.set(label, this.#slots.length);
      return;
    }
    const { slots, target } = encodeLine(line, text);
    if (text === "exit") this.#firstExit ??= this.#slots.length;
    this.#slots.push(...slots);
    if (target !== undefined) {
      this.#fixups.push({ ...target, line, slot: this.#slots.length - 1 });
    }
  }

  finish(): Instruction[] {
    if (this.#firstExit !== undefined && !this.#labels.has("exit")) {
      this.#labels.set("exit", this.#firstExit);
    }
    for (const { slot, line, label, field } of this.#fixups) {
      const target = this.#labels.get(label);
      if (target === undefined) throw new AssemblerError(line, `no label ${label}`);
      const distance = target - slot - 1;
      if (field === "offset" && (distance < -0x8000 || distance > 0x7fff)) {
        throw new AssemblerError(line, `label ${label} is ${distance} slots away; use ja32`);
      }
      this.#slots[slot] = { ...this.#slots[slot]!, [field]: distance };
    }
    return this.#slots;
  }
}
