/**
 * A BPF object as data: programs, maps, global variables and relocations of one ELF file, the same
 * on every host. What depends on a kernel (its types, its configuration) is applied by `link.ts`
 * and `initial_data.ts`.
 */

import type { MapSpec, ProgramKind } from "#core/backend.ts";
import type { Btf } from "#core/btf/btf.ts";
import { type BtfExt, parseBtfExt } from "#core/btf/ext.ts";
import { completeBtf, parseObjectBtf } from "./btf_sections.ts";
import { type ElfFile, type ElfSection, parseElf } from "./elf.ts";
import { collectExterns, kconfigMap } from "./externs.ts";
import { collectFunctions, collectPrograms } from "./functions.ts";
import { dataMaps, dataVariables } from "./global_data.ts";
import { initialSlots } from "./initial_slots.ts";
import { LIMITS } from "./limits.ts";
import { definedMaps } from "./map_definitions.ts";
import { openError, withOpenErrors } from "./open_error.ts";
import { resolveRelocations } from "./relocations.ts";

export interface ObjectSpec {
  readonly name: string;
  readonly license: string;
  /** Value of the `version` section, 0 without one. */
  readonly version: number;
  readonly btf: Btf;
  readonly ext: BtfExt;
  /** Every function with code, programs included, ordered by section and slot. */
  readonly functions: readonly FunctionSpec[];
  readonly programs: readonly ProgramSpec[];
  /** Maps of `.maps` in order, then global data, then `.kconfig`. */
  readonly maps: readonly ObjectMap[];
  readonly variables: readonly GlobalVariable[];
  readonly externs: readonly ExternSpec[];
  /** Executable sections, by index. */
  readonly code: ReadonlyMap<number, CodeSection>;
  /** What was understood but left aside, one sentence each (pinning, struct_ops, ...). */
  readonly notes: readonly string[];
}

export interface FunctionSpec {
  readonly name: string;
  /** Index and name of the ELF section. */
  readonly sectionIndex: number;
  readonly section: string;
  /** First slot in the section, and number of slots. */
  readonly start: number;
  readonly length: number;
}

export interface ProgramSpec {
  readonly name: string;
  /** ELF section without the `?` of programs that are not loaded by default. */
  readonly section: string;
  readonly kind: ProgramKind;
  /** What the section name says after its kind: `"sock/inet_sock_set_state"`. */
  readonly target: string;
  readonly sleepable: boolean;
  /** Whether it is loaded when nobody names it. */
  readonly autoload: boolean;
  readonly entry: FunctionSpec;
}

export interface CodeSection {
  readonly name: string;
  /** Instructions as compiled; a copy of the file's. */
  readonly bytes: Uint8Array;
  /** By slot. */
  readonly relocations: ReadonlyMap<number, CodeRelocation>;
}

/** What an instruction's immediate refers to. */
export type CodeRelocation =
  | { readonly kind: "map"; readonly map: string }
  | { readonly kind: "map_value"; readonly map: string; readonly offset: number }
  /** A call of, or (LDDW) the address of, the function at this slot of a section. */
  | { readonly kind: "function"; readonly sectionIndex: number; readonly start: number }
  | { readonly kind: "extern"; readonly extern: ExternSpec };

export type MapContent = "map" | "rodata" | "data" | "bss" | "kconfig";

export interface ObjectMap {
  /** `name` is the variable's, or the section's (`".rodata"`): what the map is looked up by. */
  readonly spec: MapSpec;
  /** Name in the kernel: at most 15 characters, global data prefixed by the object's name. */
  readonly kernelName: string;
  readonly content: MapContent;
  /** Bytes of the one value of global data; undefined is all zero. */
  readonly initial: Uint8Array | undefined;
  /** Initial entries of a prog array (program names) or map-in-map (map names). */
  readonly slots: readonly InitialSlot[];
  /** Offset of `struct bpf_spin_lock` and `struct bpf_timer` in a value, or -1. */
  readonly lockOffset: number;
  readonly timerOffset: number;
  /** `map_extra` (bloom filters: number of hash functions). */
  readonly extra: bigint;
}

export interface InitialSlot {
  readonly index: number;
  readonly kind: "map" | "program";
  readonly name: string;
}

/** A variable in a global-data map. */
export interface GlobalVariable {
  readonly name: string;
  /** Name of the map (`".rodata"`) that holds it. */
  readonly map: string;
  /** In bytes, in the map's one value. */
  readonly offset: number;
  readonly size: number;
  readonly typeId: number;
  readonly static: boolean;
}

/** A symbol that the kernel must supply. */
export interface ExternSpec {
  readonly name: string;
  /** `kconfig`: a value in the `.kconfig` map; otherwise a kernel variable or function. */
  readonly kind: "kconfig" | "variable" | "function";
  readonly weak: boolean;
  readonly typeId: number;
  /** Position in the `.kconfig` map, in bytes; 0 for others. */
  readonly offset: number;
  readonly size: number;
}

/**
 * Parses a compiled BPF object. `bytes` are read during the call and not kept. Throws `BpfError`
 * (operation `open <name>`; ENOEXEC or EINVAL) on anything malformed or not supported.
 */
export function parseObject(bytes: Uint8Array, name: string): ObjectSpec {
  // A copy, because what is parsed keeps views; `slice` of a Node Buffer would be none.
  const elf = parseElf(new Uint8Array(bytes), name);
  return withOpenErrors(name, () => parseParts(elf, name));
}

function parseParts(elf: ElfFile, name: string): ObjectSpec {
  const notes: string[] = [];
  const parsed = parseObjectBtf(elf, name);
  const externs = collectExterns(elf, parsed, name);
  const btf = completeBtf(elf, parsed, externs);
  const functions = collectFunctions(elf, name);
  const programs = collectPrograms(elf, functions, name);
  const defined = definedMaps(elf, btf, name, notes);
  const data = dataMaps(elf, btf, name);
  const kconfig = kconfigMap(btf, externs, name);
  const maps = [...defined.map(({ map }) => map), ...data.map(({ map }) => map), ...kconfig];
  checkMaps(maps, name);
  const targets = { functions, programs, defined, data, externs };
  const slots = initialSlots(elf, targets, name);
  noteWhatIsLeftAside(elf, notes);
  return {
    name,
    license: license(elf, name),
    version: version(elf, name),
    btf,
    ext: objectExt(elf, btf),
    functions,
    programs,
    maps: maps.map((map) => ({ ...map, slots: slots.get(map.spec.name) ?? [] })),
    variables: dataVariables(btf, data, name),
    externs,
    code: resolveRelocations(elf, targets, name),
    notes,
  };
}

function checkMaps(maps: readonly ObjectMap[], name: string): void {
  if (maps.length > LIMITS.maps) {
    throw openError(name, `object has ${maps.length} maps, more than ${LIMITS.maps}`);
  }
  const seen = new Set<string>();
  for (const { spec } of maps) {
    if (seen.has(spec.name)) throw openError(name, `two maps are called "${spec.name}"`);
    seen.add(spec.name);
  }
}

function objectExt(elf: ElfFile, btf: Btf): BtfExt {
  const section = elf.sections.find(({ name }) => name === ".BTF.ext");
  if (section === undefined) return { functions: [], lines: [], coreRelocations: [] };
  return parseBtfExt(section.data, btf);
}

function uniqueSection(elf: ElfFile, section: string, object: string): ElfSection | undefined {
  const found = elf.sections.filter(({ name }) => name === section);
  if (found.length > 1) throw openError(object, `object has ${found.length} "${section}" sections`);
  return found[0];
}

/** Kernels keep at most 127 characters of it, libbpf 63. */
const LICENSE_CHARACTERS = 63;

function license(elf: ElfFile, name: string): string {
  const section = uniqueSection(elf, "license", name);
  if (section === undefined) return "";
  const end = section.data.indexOf(0);
  const text = section.data.subarray(0, end < 0 ? section.data.length : end);
  return new TextDecoder().decode(text.subarray(0, LICENSE_CHARACTERS));
}

function version(elf: ElfFile, name: string): number {
  const data = uniqueSection(elf, "version", name)?.data;
  if (data === undefined) return 0;
  if (data.length !== 4) {
    throw openError(name, `the "version" section has ${data.length} bytes, not 4`);
  }
  return new DataView(data.buffer, data.byteOffset, 4).getUint32(0, true);
}

function noteWhatIsLeftAside(elf: ElfFile, notes: string[]): void {
  for (const section of elf.sections) {
    if (/^\??\.struct_ops(\.link)?$/.test(section.name)) {
      notes.push(`section "${section.name}": struct_ops are not supported and left aside`);
    }
    const pointers = elf.relocations.get(section.index);
    if (pointers !== undefined && /^\.(data|rodata|bss)(\.|$)/.test(section.name)) {
      notes.push(
        `section "${section.name}": ${pointers.length} pointers in global data stay zero, ` +
          "as libbpf leaves them",
      );
    }
  }
}
