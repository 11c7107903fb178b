/** Externs: what the kernel's configuration (`__kconfig`) or its symbols (`__ksym`) must supply. */

import { MAP_FLAG, MAP_TYPE } from "#core/backend.ts";
import type { Btf, BtfType } from "#core/btf/btf.ts";
import { alignOf, findType, sizeOf } from "#core/btf/queries.ts";
import type { ElfFile } from "./elf.ts";
import { internalMapName } from "./global_data.ts";
import { LIMITS } from "./limits.ts";
import type { ExternSpec, ObjectMap } from "./object_spec.ts";
import { openError } from "./open_error.ts";

export const KCONFIG_SECTION = ".kconfig";
const KSYMS_SECTION = ".ksyms";

/** Externs in the order of symbols; those of `.kconfig` have their place in that map. */
export function collectExterns(elf: ElfFile, btf: Btf, object: string): ExternSpec[] {
  const kconfig = sectionMembers(btf, KCONFIG_SECTION);
  const ksyms = sectionMembers(btf, KSYMS_SECTION);
  const externs: ExternSpec[] = [];
  const seen = new Set<string>();
  for (const symbol of elf.symbols) {
    const { name, binding, type, sectionNumber } = symbol;
    if (sectionNumber !== 0 || type !== "none" || name === "") continue;
    if (binding !== "global" && binding !== "weak") continue;
    if (seen.has(name)) throw openError(object, `two undefined symbols are called "${name}"`);
    seen.add(name);
    const weak = binding === "weak";
    const member = kconfig.get(name) ?? ksyms.get(name);
    if (member === undefined) {
      throw openError(object, `symbol "${name}" is not defined`, {
        hint: "define it, or declare it with __ksym or __kconfig",
      });
    }
    const { typeId, kind } = member;
    externs.push({ name, weak, typeId, kind, offset: 0, size: 0 });
  }
  return layOut(btf, externs, object);
}

interface Member {
  readonly typeId: number;
  readonly kind: ExternSpec["kind"];
}

function sectionMembers(btf: Btf, section: string): Map<string, Member> {
  const members = new Map<string, Member>();
  const id = findType(btf, section, "section");
  const type = id === undefined ? undefined : btf.types[id];
  if (type?.kind !== "section") return members;
  for (const { typeId } of type.variables) {
    const member = btf.types[typeId] as BtfType & { kind: "variable" | "function" };
    const kind = section === KCONFIG_SECTION ? "kconfig" : member.kind;
    members.set(member.name, { typeId: member.typeId, kind });
  }
  return members;
}

/** Places the variables of `.kconfig` as libbpf does: by falling alignment, size, then name. */
function layOut(btf: Btf, externs: readonly ExternSpec[], object: string): ExternSpec[] {
  const sized = externs
    .filter(({ kind }) => kind === "kconfig")
    .map((extern) => ({
      extern,
      size: sizeOf(btf, extern.typeId),
      alignment: alignOf(btf, extern.typeId),
    }))
    .sort((a, b) => b.alignment - a.alignment || a.size - b.size || order(a.extern, b.extern));
  const placed = new Map<string, ExternSpec>();
  let offset = 0;
  for (const { extern, size, alignment } of sized) {
    if (size === 0) throw openError(object, `extern "${extern.name}" has no size`);
    offset = Math.ceil(offset / alignment) * alignment;
    placed.set(extern.name, { ...extern, offset, size });
    offset += size;
  }
  if (offset > LIMITS.data_bytes) {
    throw openError(object, `externs of ${KCONFIG_SECTION} take ${offset} bytes`);
  }
  return externs.map((extern) => placed.get(extern.name) ?? extern);
}

function order(a: ExternSpec, b: ExternSpec): number {
  return a.name < b.name ? -1 : 1;
}

/** The map that holds the kernel's configuration, if the object asks for any. */
export function kconfigMap(btf: Btf, externs: readonly ExternSpec[], object: string): ObjectMap[] {
  const members = externs.filter(({ kind }) => kind === "kconfig");
  if (members.length === 0) return [];
  const valueSize = Math.max(...members.map(({ offset, size }) => offset + size));
  const map: ObjectMap = {
    spec: {
      name: KCONFIG_SECTION,
      type: MAP_TYPE.array,
      keySize: 4,
      valueSize,
      maxEntries: 1,
      flags: MAP_FLAG.MMAPABLE | MAP_FLAG.RDONLY_PROG,
      keyTypeId: 0,
      valueTypeId: findType(btf, KCONFIG_SECTION, "section") ?? 0,
    },
    kernelName: internalMapName(object, KCONFIG_SECTION),
    content: "kconfig",
    initial: undefined,
    slots: [],
    lockOffset: -1,
    timerOffset: -1,
    extra: 0n,
  };
  return [map];
}
