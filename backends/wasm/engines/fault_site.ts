/** A slot of a linked program as people read it: instruction, source line, and what is special. */
import { disassembleAt } from "#wasm/loader/disassemble.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";
import { lineAt } from "#wasm/loader/verifier_log.ts";
import type { FaultSite } from "./engine.ts";

export function describeSite(program: LinkedProgram, slot: number): FaultSite {
  const line = lineAt(program.lines, slot);
  const note = program.poisoned.find((poisoned) => poisoned.slot === slot)?.reason;
  return {
    location: {
      program: program.name,
      instruction: slot,
      text: disassembleAt(program, slot),
      ...(line === undefined ? {} : { source: `${line.file}:${line.line}`, sourceLine: line.text }),
    },
    ...(note === undefined ? {} : { note }),
  };
}
