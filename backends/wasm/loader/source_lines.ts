/** Source positions of instructions, from `.BTF.ext`, by function. */

import type { BtfLineInfo } from "#core/btf/ext.ts";
import { SLOT_BYTES } from "./instructions.ts";
import type { LineEntry } from "./linked_program.ts";
import { lowerBound } from "./lower_bound.ts";
import type { FunctionSpec } from "./object_spec.ts";

const byOffset = ({ instructionOffset }: BtfLineInfo) => instructionOffset;

export class SourceLines {
  readonly #bySection = new Map<string, BtfLineInfo[]>();

  constructor(lines: readonly BtfLineInfo[]) {
    for (const line of lines) {
      // Line 0 is code that the compiler made up: the line before says more.
      if (line.line === 0) continue;
      const section = this.#bySection.get(line.section);
      if (section === undefined) this.#bySection.set(line.section, [line]);
      else section.push(line);
    }
    for (const section of this.#bySection.values()) {
      section.sort((a, b) => a.instructionOffset - b.instructionOffset);
    }
  }

  /** Appends the lines of a function that was placed at slot `placed`, ordered by slot. */
  collect(owner: FunctionSpec, placed: number, into: LineEntry[]): void {
    const lines = this.#bySection.get(owner.section) ?? [];
    const first = owner.start * SLOT_BYTES;
    const end = first + owner.length * SLOT_BYTES;
    for (let i = lowerBound(lines, first, byOffset); i < lines.length; i++) {
      const { instructionOffset, file, line, text } = lines[i]!;
      if (instructionOffset >= end) break;
      const slot = placed + (instructionOffset - first) / SLOT_BYTES;
      into.push({ slot, file, line, text });
    }
  }
}
