/** Initial entries of prog arrays and maps of maps: relocations on their `values` in `.maps`. */

import { MAP_TYPE } from "#core/backend.ts";
import type { ElfFile, ElfRelocation, ElfSymbol } from "./elf.ts";
import { SLOT_BYTES } from "./instructions.ts";
import { LIMITS } from "./limits.ts";
import type { DefinedMap } from "./map_definitions.ts";
import type { InitialSlot, ProgramSpec } from "./object_spec.ts";
import { openError } from "./open_error.ts";

const POINTER_BYTES = 8;
const R_BPF_64_ABS64 = 2;

/** What entries can be. */
export interface SlotTargets {
  readonly programs: readonly ProgramSpec[];
  readonly defined: readonly DefinedMap[];
}

/** Initial entries by map name, ordered by index. */
export function initialSlots(
  elf: ElfFile,
  targets: SlotTargets,
  object: string,
): Map<string, InitialSlot[]> {
  const slots = new Map<string, InitialSlot[]>();
  const sectionIndex = targets.defined[0]?.sectionIndex;
  if (sectionIndex === undefined) return slots;
  for (const relocation of elf.relocations.get(sectionIndex) ?? []) {
    const owner = targets.defined.find(
      ({ offset, size }) => relocation.offset >= offset && relocation.offset < offset + size,
    );
    const slot = owner && initialSlot(elf, relocation, owner, targets, object);
    if (owner === undefined || slot === undefined) {
      throw openError(
        object,
        `section ".maps" has a pointer at byte ${relocation.offset} that is no map's value`,
        { hint: "initialize nothing but `values`" },
      );
    }
    const { name } = owner.map.spec;
    const list = slots.get(name);
    if (list === undefined) slots.set(name, [slot]);
    else list.push(slot);
  }
  return slots;
}

function initialSlot(
  elf: ElfFile,
  relocation: ElfRelocation,
  owner: DefinedMap,
  targets: SlotTargets,
  object: string,
): InitialSlot | undefined {
  if (owner.valuesOffset === undefined || relocation.type !== R_BPF_64_ABS64) return undefined;
  const index = (relocation.offset - owner.offset - owner.valuesOffset) / POINTER_BYTES;
  if (!Number.isInteger(index) || index < 0) return undefined;
  const { spec } = owner.map;
  if (index >= Math.min(spec.maxEntries, LIMITS.initialSlots)) {
    throw openError(object, `map "${spec.name}" has a value at ${index} of ${spec.maxEntries}`, {
      hint: "raise max_entries",
    });
  }
  const symbol = elf.symbols[relocation.symbol]!;
  const name =
    spec.type === MAP_TYPE.prog_array
      ? programAt(symbol, targets.programs)
      : mapAt(symbol, targets.defined);
  if (name === undefined) {
    const what = spec.type === MAP_TYPE.prog_array ? "program" : "map";
    throw openError(object, `map "${spec.name}", value ${index}: "${symbol.name}" is no ${what}`);
  }
  return { index, kind: spec.type === MAP_TYPE.prog_array ? "program" : "map", name };
}

function programAt(symbol: ElfSymbol, programs: readonly ProgramSpec[]): string | undefined {
  if (symbol.type !== "function") return undefined;
  return programs.find(
    ({ name, entry }) =>
      name === symbol.name &&
      entry.sectionIndex === symbol.section &&
      entry.start * SLOT_BYTES === symbol.value,
  )?.name;
}

function mapAt(symbol: ElfSymbol, maps: readonly DefinedMap[]): string | undefined {
  return maps.find(
    ({ sectionIndex, offset }) => sectionIndex === symbol.section && offset === symbol.value,
  )?.map.spec.name;
}
