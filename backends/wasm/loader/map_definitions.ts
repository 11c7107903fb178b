/**
 * Maps defined in C through BTF (section `.maps`): each variable is a struct whose members spell
 * out the map, numbers encoded as array lengths (`__uint`) and types as pointers (`__type`).
 */

import { MAP_TYPE, type MapSpec } from "#core/backend.ts";
import type { Btf, BtfMember, BtfType } from "#core/btf/btf.ts";
import { findType, sizeOf, skipModifiers } from "#core/btf/queries.ts";
import type { ElfFile } from "./elf.ts";
import { kernelName } from "./global_data.ts";
import { specialFields } from "./map_fields.ts";
import { ringBytes } from "./map_size.ts";
import type { ObjectMap } from "./object_spec.ts";
import { openError } from "./open_error.ts";

export const MAPS_SECTION = ".maps";

/** A map, and the variable that defines it. */
export interface DefinedMap {
  readonly map: ObjectMap;
  readonly sectionIndex: number;
  /** Place of the variable in the section, in bytes. */
  readonly offset: number;
  readonly size: number;
  /** Place of the `values` array in the variable, in bytes; undefined where there is none. */
  readonly valuesOffset: number | undefined;
}

/** Maps of `.maps`, in the order in which they lie there. `btf` must be complete. */
export function definedMaps(elf: ElfFile, btf: Btf, object: string, notes: string[]): DefinedMap[] {
  if (elf.sections.some(({ name, size }) => name === "maps" && size > 0)) {
    throw openError(object, 'legacy map definitions in section "maps" are not supported', {
      hint: 'define maps through BTF, in SEC(".maps")',
    });
  }
  const elfSection = elf.sections.find(({ name }) => name === MAPS_SECTION);
  if (elfSection === undefined || elfSection.size === 0) return [];
  const id = findType(btf, MAPS_SECTION, "section");
  const section = id === undefined ? undefined : btf.types[id];
  if (section?.kind !== "section") {
    throw openError(object, `section "${MAPS_SECTION}" is not described by BTF`, {
      hint: "compile with -g",
    });
  }
  const parser = new MapParser(btf, object, notes);
  const maps = section.variables.map(({ typeId, offset, size }) => {
    const variable = btf.types[typeId]!;
    if (variable.kind !== "variable" || variable.linkage !== "global") {
      throw openError(object, `map "${variable.name}" is not a global variable`, {
        hint: "drop `static` or `extern`",
      });
    }
    if (offset + size > elfSection.size) {
      throw openError(object, `map "${variable.name}" reaches beyond section "${MAPS_SECTION}"`);
    }
    return parser.map(variable.name, variable.typeId, elfSection.index, offset, size);
  });
  return maps.sort((a, b) => a.offset - b.offset);
}

/** What the members of a definition say so far. */
interface Definition {
  type: number | undefined;
  maxEntries: number;
  flags: number;
  keySize: number | undefined;
  valueSize: number | undefined;
  keyTypeId: number;
  valueTypeId: number;
  extra: bigint;
  inner: MapSpec | undefined;
  valuesOffset: number | undefined;
}

class MapParser {
  readonly #btf: Btf;
  readonly #object: string;
  readonly #notes: string[];

  constructor(btf: Btf, object: string, notes: string[]) {
    this.#btf = btf;
    this.#object = object;
    this.#notes = notes;
  }

  map(
    name: string,
    typeId: number,
    sectionIndex: number,
    offset: number,
    size: number,
  ): DefinedMap {
    const definition = this.#definition(name, typeId, false);
    const spec = this.#spec(name, definition);
    const map: ObjectMap = {
      spec,
      kernelName: kernelName(name),
      content: "map",
      initial: undefined,
      slots: [],
      ...specialFields(this.#btf, spec.valueTypeId ?? 0),
      extra: definition.extra,
    };
    return { map, sectionIndex, offset, size, valuesOffset: definition.valuesOffset };
  }

  #spec(name: string, definition: Definition): MapSpec {
    const { type } = definition;
    if (type === undefined || type === 0) {
      return this.#fail(name, "has no type", "add __uint(type, BPF_MAP_TYPE_...)");
    }
    return {
      name,
      type,
      keySize: definition.keySize ?? 0,
      valueSize: definition.valueSize ?? 0,
      maxEntries:
        type === MAP_TYPE.ringbuf ? ringBytes(definition.maxEntries) : definition.maxEntries,
      flags: definition.flags,
      keyTypeId: definition.keyTypeId,
      valueTypeId: definition.valueTypeId,
      ...(definition.inner === undefined ? {} : { inner: definition.inner }),
    };
  }

  #definition(name: string, typeId: number, isInner: boolean): Definition {
    const type = this.#type(typeId);
    if (type.kind !== "struct") return this.#fail(name, `is defined by a ${type.kind}`);
    const definition: Definition = {
      type: undefined,
      maxEntries: 0,
      flags: 0,
      keySize: undefined,
      valueSize: undefined,
      keyTypeId: 0,
      valueTypeId: 0,
      extra: 0n,
      inner: undefined,
      valuesOffset: undefined,
    };
    for (const member of type.members) this.#member(name, member, definition, isInner);
    const last = type.members.at(-1)?.name;
    if (definition.valuesOffset !== undefined && last !== "values") {
      this.#fail(name, 'has members after "values"', "move `values` to the end");
    }
    return definition;
  }

  #member(name: string, member: BtfMember, definition: Definition, isInner: boolean): void {
    switch (member.name) {
      case "type":
        definition.type = this.#number(name, member);
        return;
      case "max_entries":
        definition.maxEntries = this.#number(name, member);
        return;
      case "map_flags":
        definition.flags = this.#number(name, member);
        return;
      case "numa_node":
        this.#note(name, "numa_node", this.#number(name, member));
        return;
      case "pinning":
        if (isInner) this.#fail(name, "is an inner map, which cannot be pinned");
        this.#note(name, "pinning", this.#number(name, member));
        return;
      case "map_extra":
        definition.extra = this.#wideNumber(name, member);
        return;
      case "key_size":
        definition.keySize = this.#size(name, member, definition.keySize);
        return;
      case "value_size":
        definition.valueSize = this.#size(name, member, definition.valueSize);
        return;
      case "key":
        definition.keyTypeId = this.#pointee(name, member);
        definition.keySize = this.#typeSize(name, member, definition.keyTypeId, definition.keySize);
        return;
      case "value":
        definition.valueTypeId = this.#pointee(name, member);
        definition.valueSize = this.#typeSize(
          name,
          member,
          definition.valueTypeId,
          definition.valueSize,
        );
        return;
      case "values":
        this.#values(name, member, definition, isInner);
        return;
      default:
        this.#fail(name, `has unknown member "${member.name}"`);
    }
  }

  /** `__array(values, T)`: the template of inner maps, or the prototype of programs. */
  #values(name: string, member: BtfMember, definition: Definition, isInner: boolean): void {
    if (isInner) this.#fail(name, "is an inner map that has inner maps itself");
    const mapInMap =
      definition.type === MAP_TYPE.array_of_maps || definition.type === MAP_TYPE.hash_of_maps;
    if (!mapInMap && definition.type !== MAP_TYPE.prog_array) {
      this.#fail(name, 'has "values", but is neither a map of maps nor a prog array');
    }
    definition.valueSize = this.#sameSize(name, "value", 4, definition.valueSize);
    const array = this.#type(member.typeId);
    if (array.kind !== "array" || array.length !== 0) {
      this.#fail(name, '"values" is no array without a length', "use __array(values, T)");
    }
    const pointer = this.#type(array.elementTypeId);
    if (pointer.kind !== "pointer") this.#fail(name, '"values" holds no pointers');
    definition.valuesOffset = member.offset_bits / 8;
    const pointee = this.#type(pointer.typeId);
    if (mapInMap) {
      const inner = `${name}.inner`;
      definition.inner = this.#spec(inner, this.#definition(inner, pointer.typeId, true));
    } else if (pointee.kind !== "prototype") {
      this.#fail(name, '"values" of a prog array are no functions', "use __array(values, int ())");
    }
  }

  /** The number of `__uint(name, number)`: the length of the array pointed to. */
  #number(name: string, member: BtfMember): number {
    const pointer = this.#type(member.typeId);
    const array = pointer.kind === "pointer" ? this.#btf.types[pointer.typeId] : undefined;
    if (array?.kind !== "array") {
      return this.#fail(name, `"${member.name}" is no number`, `use __uint(${member.name}, ...)`);
    }
    return array.length;
  }

  /** The number of `__ulong(name, number)` (the one value of an enum), or of `__uint`. */
  #wideNumber(name: string, member: BtfMember): bigint {
    const type = this.#type(member.typeId);
    if (type.kind !== "enum") return BigInt(this.#number(name, member));
    const value = type.enumerators[0]?.value;
    if (value === undefined || type.enumerators.length !== 1) {
      return this.#fail(name, `"${member.name}" is no number`, `use __ulong(${member.name}, ...)`);
    }
    return BigInt.asUintN(64, value);
  }

  #size(name: string, member: BtfMember, before: number | undefined): number {
    return this.#sameSize(
      name,
      member.name.replace("_size", ""),
      this.#number(name, member),
      before,
    );
  }

  #pointee(name: string, member: BtfMember): number {
    const pointer = this.#type(member.typeId);
    if (pointer.kind !== "pointer") {
      return this.#fail(name, `"${member.name}" names no type`, `use __type(${member.name}, T)`);
    }
    return pointer.typeId;
  }

  #typeSize(name: string, member: BtfMember, typeId: number, before: number | undefined): number {
    return this.#sameSize(name, member.name, sizeOf(this.#btf, typeId), before);
  }

  #sameSize(name: string, what: string, size: number, before: number | undefined): number {
    if (before !== undefined && before !== size) {
      this.#fail(name, `has ${what}s of both ${before} and ${size} bytes`);
    }
    return size;
  }

  #type(id: number): BtfType {
    return this.#btf.types[skipModifiers(this.#btf, id)]!;
  }

  #note(name: string, what: string, value: number): void {
    if (value !== 0) this.#notes.push(`map "${name}": ${what} ${value} is left aside`);
  }

  #fail(name: string, problem: string, hint?: string): never {
    throw openError(this.#object, `map "${name}" ${problem}`, hint === undefined ? {} : { hint });
  }
}
