/** Refusals of programs, as people read them: the instruction, its source line, and what led there. */

import { ERRNO, VerifierError } from "#core/errors.ts";
import { disassembleAt } from "./disassemble.ts";
import { Code } from "./instructions.ts";
import type { LineEntry, LinkedProgram } from "./linked_program.ts";
import { printable } from "./printable.ts";

const CONTEXT_INSTRUCTIONS = 12;

/** The last entry at or before `slot`, in the lines of a linked program. */
export function lineAt(lines: readonly LineEntry[], slot: number): LineEntry | undefined {
  return lines.findLast((line) => line.slot <= slot);
}

/** The error of a program that is refused because of the instruction at `slot`. */
export function refusal(
  program: LinkedProgram,
  slot: number,
  problem: string,
  options: { readonly errno?: number; readonly hint?: string } = {},
): VerifierError {
  const line = lineAt(program.lines, slot);
  const at = line === undefined ? "" : ` at ${line.file}:${line.line}`;
  const text = disassembleAt(program, slot);
  const summary = printable(`instruction ${slot} (${text})${at}: ${problem}`);
  const log = `${listing(program, slot).join("\n")}\n${problem}\n`;
  return new VerifierError(printable(program.name), summary, log, {
    errno: ERRNO.EINVAL,
    ...options,
  });
}

/** Instructions up to `slot` with their source lines, as the kernel's log has them. */
function listing(program: LinkedProgram, slot: number): string[] {
  const code = new Code(program.code);
  const owner = program.subprograms.findLast(({ start }) => start <= slot);
  const first = owner?.start ?? 0;
  const slots: number[] = [];
  for (let at = first; at <= slot; at++) {
    slots.push(at);
    if (code.isLddw(at)) at++;
  }
  const lines = [`function ${owner?.name ?? program.name}:`];
  let shown: LineEntry | undefined;
  for (const at of slots.slice(-CONTEXT_INSTRUCTIONS)) {
    const line = lineAt(program.lines, at);
    if (line !== undefined && line.text !== shown?.text) lines.push(`; ${line.text.trim()}`);
    shown = line;
    lines.push(`${at}: ${disassembleAt(program, at)}`);
  }
  return lines;
}
