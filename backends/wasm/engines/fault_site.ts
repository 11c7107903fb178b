/** A slot of a linked program as people read it: instruction, source line, and what is special. */
import { Code } from "#wasm/loader/instructions.ts";
import type { LineEntry, LinkedProgram } from "#wasm/loader/linked_program.ts";
import type { FaultSite } from "./engine.ts";

export function describeSite(program: LinkedProgram, slot: number): FaultSite {
  const line = lineAt(program.lines, slot);
  const note = program.poisoned.find((poisoned) => poisoned.slot === slot)?.reason;
  return {
    location: {
      program: program.name,
      instruction: slot,
      text: instructionText(program, slot),
      ...(line === undefined ? {} : { source: `${line.file}:${line.line}`, sourceLine: line.text }),
    },
    ...(note === undefined ? {} : { note }),
  };
}

/** The last entry at or before `slot`. */
function lineAt(lines: readonly LineEntry[], slot: number): LineEntry | undefined {
  return lines.findLast((line) => line.slot <= slot);
}

function instructionText(program: LinkedProgram, slot: number): string {
  const { opcode, dst, src, offset, imm } = new Code(program.code).at(slot);
  return `opcode 0x${opcode.toString(16)} dst r${dst} src r${src} offset ${offset} imm ${imm}`;
}
