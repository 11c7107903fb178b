/** Functions of an object, read off its symbols, and which of them are programs. */

import { type ElfFile, type ElfSection, SECTION_FLAG, SECTION_TYPE } from "./elf.ts";
import { SLOT_BYTES } from "./instructions.ts";
import { LIMITS } from "./limits.ts";
import type { FunctionSpec, ProgramSpec } from "./object_spec.ts";
import { openError } from "./open_error.ts";
import { sectionKind } from "./section_kind.ts";

export function isCode(section: ElfSection): boolean {
  return (
    section.type === SECTION_TYPE.progbits &&
    (section.flags & SECTION_FLAG.EXECINSTR) !== 0 &&
    section.size > 0
  );
}

/** Every function with code, ordered by section and slot. Aliases appear once for each name. */
export function collectFunctions(elf: ElfFile, object: string): FunctionSpec[] {
  const functions: FunctionSpec[] = [];
  for (const symbol of elf.symbols) {
    if (symbol.type !== "function" || symbol.section === undefined) continue;
    const section = elf.sections[symbol.section]!;
    if (!isCode(section)) continue;
    const { name, value, size } = symbol;
    if (value % SLOT_BYTES !== 0 || size % SLOT_BYTES !== 0 || size === 0) {
      throw openError(
        object,
        `function "${name}" (bytes ${value}+${size}) is no whole instructions`,
      );
    }
    if (value + size > section.size) {
      throw openError(object, `function "${name}" reaches beyond section "${section.name}"`);
    }
    functions.push({
      name,
      sectionIndex: section.index,
      section: section.name,
      start: value / SLOT_BYTES,
      length: size / SLOT_BYTES,
    });
  }
  if (functions.length > LIMITS.functions) {
    throw openError(object, `object has ${functions.length} functions`);
  }
  functions.sort((a, b) => a.sectionIndex - b.sectionIndex || a.start - b.start);
  rejectOverlaps(functions, object);
  return functions;
}

function rejectOverlaps(functions: readonly FunctionSpec[], object: string): void {
  for (let i = 1; i < functions.length; i++) {
    const before = functions[i - 1]!;
    const next = functions[i]!;
    if (before.sectionIndex !== next.sectionIndex) continue;
    const alias = before.start === next.start && before.length === next.length;
    if (!alias && next.start < before.start + before.length) {
      throw openError(object, `functions "${before.name}" and "${next.name}" overlap`);
    }
  }
}

/**
 * Functions outside `.text` are programs. One in `.text` is a program only when it is the only
 * function of the object; otherwise those are called from programs.
 */
export function collectPrograms(
  elf: ElfFile,
  functions: readonly FunctionSpec[],
  object: string,
): ProgramSpec[] {
  const locals = new Set(
    elf.symbols
      .filter(({ type, binding }) => type === "function" && binding === "local")
      .map(({ section, value }) => `${section}:${value}`),
  );
  const programs: ProgramSpec[] = [];
  const seen = new Set<string>();
  for (const entry of functions) {
    if (entry.section === ".text" && functions.length > 1) continue;
    const local = locals.has(`${entry.sectionIndex}:${entry.start * SLOT_BYTES}`);
    if (local && entry.section !== ".text") {
      throw openError(object, `program "${entry.name}" is static`, { hint: "drop `static`" });
    }
    if (seen.has(entry.name)) throw openError(object, `two programs are called "${entry.name}"`);
    seen.add(entry.name);
    const { kind, target, sleepable, autoload } = sectionKind(entry.section);
    const section = autoload ? entry.section : entry.section.slice(1);
    programs.push({ name: entry.name, section, kind, target, sleepable, autoload, entry });
  }
  if (programs.length > LIMITS.programs) {
    throw openError(object, `object has ${programs.length} programs`);
  }
  return programs;
}
