/**
 * The object's BTF, as the compiler could not finish it: offsets of global variables are ELF
 * relocations on `.BTF`, and sizes of sections are left zero for the loader to fill in.
 */

import type { Btf, BtfType } from "#core/btf/btf.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { ERRNO } from "#core/errors.ts";
import { type ElfFile, type ElfSection, SECTION_FLAG } from "./elf.ts";
import type { ExternSpec } from "./object_spec.ts";
import { openError } from "./open_error.ts";

/** Relocation types that stand for "add the symbol's value to 32 bits of data". */
export const DATA_RELOCATIONS_32: ReadonlySet<number> = new Set([
  3, // R_BPF_64_ABS32
  4, // R_BPF_64_NODYLD32
  10, // R_BPF_64_32, which LLVM before 13 used for data too
]);

/** The `.BTF` section, relocated and parsed. */
export function parseObjectBtf(elf: ElfFile, object: string): Btf {
  const section = elf.sections.find(({ name }) => name === ".BTF");
  if (section === undefined || section.data.length === 0) {
    throw openError(object, "object has no .BTF section", {
      errno: ERRNO.ENOEXEC,
      hint: "compile with -g",
    });
  }
  if ((section.flags & SECTION_FLAG.COMPRESSED) !== 0) {
    throw openError(object, "the .BTF section is compressed", {
      errno: ERRNO.ENOEXEC,
      hint: "rebuild without compressed debug sections",
    });
  }
  return parseBtf(relocated(elf, section, object));
}

function relocated(elf: ElfFile, section: ElfSection, object: string): Uint8Array {
  const bytes = section.data.slice();
  const view = new DataView(bytes.buffer);
  for (const { offset, type, symbol } of elf.relocations.get(section.index) ?? []) {
    if (!DATA_RELOCATIONS_32.has(type) || offset + 4 > bytes.length) {
      throw openError(object, `relocation of type ${type} at byte ${offset} of .BTF is malformed`);
    }
    const target = elf.symbols[symbol]!;
    if (target.section === undefined) continue; // an extern has no place of its own
    view.setUint32(offset, view.getUint32(offset, true) + target.value, true);
  }
  return bytes;
}

/**
 * Fills in the sizes of sections: those of the ELF file, and the layout of `.kconfig`, whose
 * variables lie where `externs` say.
 */
export function completeBtf(elf: ElfFile, btf: Btf, externs: readonly ExternSpec[]): Btf {
  const sizes = new Map(elf.sections.map((section) => [section.name, section.size] as const));
  const types = btf.types.map((type) => {
    if (type.kind !== "section") return type;
    if (type.name === ".kconfig") return kconfigSection(btf, type, externs);
    const size = sizes.get(type.name);
    return size === undefined ? type : { ...type, size };
  });
  return { ...btf, types };
}

function kconfigSection(
  btf: Btf,
  section: BtfType & { kind: "section" },
  externs: readonly ExternSpec[],
): BtfType {
  const placed = new Map(
    externs.filter(({ kind }) => kind === "kconfig").map((extern) => [extern.name, extern]),
  );
  let size = 0;
  const variables = section.variables.map((variable) => {
    const extern = placed.get(btf.types[variable.typeId]!.name);
    if (extern === undefined) return variable;
    size = Math.max(size, extern.offset + extern.size);
    return { ...variable, offset: extern.offset, size: extern.size };
  });
  return { ...section, size, variables };
}
