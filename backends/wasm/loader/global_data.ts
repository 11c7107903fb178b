/** Global variables: each `.rodata*`, `.data*` and `.bss*` section is an array map of one value. */

import { MAP_FLAG, MAP_TYPE } from "#core/backend.ts";
import type { Btf } from "#core/btf/btf.ts";
import { findType } from "#core/btf/queries.ts";
import { type ElfFile, type ElfSection, SECTION_TYPE } from "./elf.ts";
import { LIMITS } from "./limits.ts";
import { specialFields } from "./map_fields.ts";
import type { GlobalVariable, MapContent, ObjectMap } from "./object_spec.ts";
import { openError } from "./open_error.ts";

/** A map, and the section that it comes from. */
export interface DataMap {
  readonly map: ObjectMap;
  readonly sectionIndex: number;
}

function contentOf({ name, type, size }: ElfSection): MapContent | undefined {
  if (size === 0) return undefined;
  const is = (base: string) => name === base || name.startsWith(`${base}.`);
  if (type === SECTION_TYPE.nobits) return is(".bss") ? "bss" : undefined;
  if (type !== SECTION_TYPE.progbits) return undefined;
  if (is(".data")) return "data";
  return is(".rodata") ? "rodata" : undefined;
}

/** Maps of global data in the order of sections. `btf` must be complete. */
export function dataMaps(elf: ElfFile, btf: Btf, object: string): DataMap[] {
  const maps: DataMap[] = [];
  for (const section of elf.sections) {
    const content = contentOf(section);
    if (content === undefined) continue;
    if (section.size > LIMITS.data_bytes) {
      throw openError(object, `section "${section.name}" has ${section.size} bytes`, {
        hint: `keep global data below ${LIMITS.data_bytes} bytes`,
      });
    }
    maps.push({ map: dataMap(section, content, btf, object), sectionIndex: section.index });
  }
  return maps;
}

function dataMap(section: ElfSection, content: MapContent, btf: Btf, object: string): ObjectMap {
  const valueTypeId = findType(btf, section.name, "section") ?? 0;
  const readOnly = content === "rodata" ? MAP_FLAG.RDONLY_PROG : 0;
  const shared = hasVisibleVariable(btf, valueTypeId) ? MAP_FLAG.MMAPABLE : 0;
  const initial = content === "bss" ? undefined : section.data.slice();
  return {
    spec: {
      name: section.name,
      type: MAP_TYPE.array,
      keySize: 4,
      valueSize: section.size,
      maxEntries: 1,
      flags: readOnly | shared,
      keyTypeId: 0,
      valueTypeId,
    },
    kernelName: internalMapName(object, section.name),
    content,
    initial,
    slots: [],
    ...specialFields(btf, valueTypeId),
    extra: 0n,
  };
}

/** libbpf maps into user space what holds at least one variable that is not static. */
function hasVisibleVariable(btf: Btf, sectionTypeId: number): boolean {
  const section = btf.types[sectionTypeId];
  if (section?.kind !== "section") return false;
  return section.variables.some(({ typeId }) => {
    const variable = btf.types[typeId]!;
    return variable.kind === "variable" && variable.linkage !== "static";
  });
}

const KERNEL_NAME_CHARACTERS = 15;
const SUFFIX_CHARACTERS_MIN = 7;

/**
 * The kernel's name of a global-data map, as libbpf forms it: the object's name cut short, then the
 * section's (`"collecto.rodata"`); a custom section (`".data.shared"`) stands alone.
 */
export function internalMapName(object: string, section: string): string {
  const suffix = Math.min(Math.max(SUFFIX_CHARACTERS_MIN, section.length), KERNEL_NAME_CHARACTERS);
  const custom = section.indexOf(".", 1) >= 0;
  const prefix = custom ? 0 : KERNEL_NAME_CHARACTERS - suffix;
  return kernelName(object.slice(0, prefix) + section.slice(0, suffix));
}

/** A name as the kernel accepts it: at most 15 characters of letters, digits, `_` and `.`. */
export function kernelName(name: string): string {
  return name.slice(0, KERNEL_NAME_CHARACTERS).replace(/[^A-Za-z0-9_.]/g, "_");
}

/** Variables of all global-data maps. */
export function dataVariables(
  btf: Btf,
  maps: readonly DataMap[],
  object: string,
): GlobalVariable[] {
  const variables: GlobalVariable[] = [];
  for (const { map } of maps) {
    const section = btf.types[map.spec.valueTypeId ?? 0];
    if (section?.kind !== "section") continue;
    for (const { typeId, offset, size } of section.variables) {
      const variable = btf.types[typeId]!;
      if (variable.kind !== "variable") continue;
      if (offset + size > map.spec.valueSize) {
        throw openError(object, `variable "${variable.name}" reaches beyond "${map.spec.name}"`);
      }
      variables.push({
        name: variable.name,
        map: map.spec.name,
        offset,
        size,
        typeId: variable.typeId,
        static: variable.linkage === "static",
      });
    }
  }
  return variables;
}
