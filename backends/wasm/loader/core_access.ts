/**
 * Access paths of CO-RE relocations (`"0:1:2"`): which member of which member an instruction touches,
 * first in the object's own types, then in a kernel's.
 */

import type { Btf, BtfType } from "#core/btf/btf.ts";
import { sizeOf, skipModifiers, typeName } from "#core/btf/queries.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import { essentialName, type StepBudget, type TypeComparison } from "./core_types.ts";

/** One step of a path, as the names of C show it: a named member, an index, or an enumerator. */
export interface Accessor {
  /** Type that is stepped into: struct, union or enum for a name, the element's for an index. */
  readonly typeId: number;
  /** Number of the member or enumerator, or the index. */
  readonly index: number;
  /** Name of the member or enumerator; empty for an index. */
  readonly name: string;
}

export interface AccessPath {
  readonly rootTypeId: number;
  /** Anonymous members take no step of their own. */
  readonly accessors: readonly Accessor[];
  /** Of what is accessed, from the start of the root type. */
  readonly offset_bits: number;
}

/** Indices in an access string, anonymous members included. */
const INDICES_MAX = 64;

/** Numbers of an access string. Throws `BpfError` for anything but numbers joined by colons. */
export function parseAccessString(access: string): number[] {
  const indices = access.split(":").map((index) => {
    if (!/^\d{1,10}$/.test(index)) malformed(`access string "${access}" is malformed`);
    return Number(index);
  });
  if (indices.length > INDICES_MAX) malformed(`access string of ${indices.length} steps`);
  return indices;
}

/** The path that a field relocation's access string takes through the object's own types. */
export function fieldPath(btf: Btf, rootTypeId: number, indices: readonly number[]): AccessPath {
  let typeId = skipModifiers(btf, rootTypeId);
  const accessors: Accessor[] = [{ typeId, index: indices[0]!, name: "" }];
  let offset_bits = checkedBits(indices[0]! * sizeOf(btf, typeId) * 8);
  for (const index of indices.slice(1)) {
    typeId = skipModifiers(btf, typeId);
    const type = btf.types[typeId]!;
    if (type.kind === "struct" || type.kind === "union") {
      const member = type.members[index];
      if (member === undefined) malformed(`${typeName(btf, typeId)} has no member ${index}`);
      offset_bits = checkedBits(offset_bits + member.offset_bits);
      if (member.name !== "") accessors.push({ typeId, index, name: member.name });
      typeId = member.typeId;
    } else if (type.kind === "array") {
      const flexible = isFlexible(btf, accessors.at(-1)!, type.length);
      if (!flexible && index >= type.length) {
        malformed(`index ${index} is outside ${typeName(btf, typeId)}`);
      }
      typeId = skipModifiers(btf, type.elementTypeId);
      accessors.push({ typeId, index, name: "" });
      offset_bits = checkedBits(offset_bits + index * sizeOf(btf, typeId) * 8);
    } else {
      malformed(`access string steps into ${typeName(btf, typeId)}`);
    }
  }
  return { rootTypeId, accessors, offset_bits };
}

/** The path to an enumerator. */
export function enumeratorPath(
  btf: Btf,
  rootTypeId: number,
  indices: readonly number[],
): AccessPath {
  const typeId = skipModifiers(btf, rootTypeId);
  const type = btf.types[typeId]!;
  const index = indices[0]!;
  const enumerator = type.kind === "enum" ? type.enumerators[index] : undefined;
  if (enumerator === undefined || indices.length > 1) {
    malformed(`${typeName(btf, typeId)} has no enumerator ${indices.join(":")}`);
  }
  const { name } = enumerator;
  return { rootTypeId, accessors: [{ typeId, index, name }], offset_bits: 0 };
}

/** An array without a length at the end of a struct may be indexed as far as one likes. */
function isFlexible(btf: Btf, owner: Accessor, length: number): boolean {
  if (owner.name === "" || length > 0) return false;
  const struct = btf.types[owner.typeId]!;
  return "members" in struct && owner.index === struct.members.length - 1;
}

/** Finds the same paths in another set of types. */
export class PathMatcher {
  readonly #local: Btf;
  readonly #target: Btf;
  readonly #comparison: TypeComparison;
  readonly #budget: StepBudget;

  constructor(local: Btf, target: Btf, comparison: TypeComparison, budget: StepBudget) {
    this.#local = local;
    this.#target = target;
    this.#comparison = comparison;
    this.#budget = budget;
  }

  /** The path of the same names from the candidate `rootTypeId`, or undefined. */
  field(local: AccessPath, rootTypeId: number): AccessPath | undefined {
    const accessors: Accessor[] = [];
    let offset_bits = 0;
    let typeId = rootTypeId;
    let indices = 0;
    for (const [i, accessor] of local.accessors.entries()) {
      typeId = skipModifiers(this.#target, typeId);
      if (accessor.name !== "") {
        const found = this.#member(accessor, typeId, 0, indices);
        if (found === undefined) return undefined;
        accessors.push(found.accessor);
        offset_bits = checkedBits(offset_bits + found.offset_bits);
        indices += found.depth;
        typeId = found.typeId;
        continue;
      }
      if (i > 0) {
        const element = this.#element(accessor, typeId, accessors.at(-1)!);
        if (element === undefined) return undefined;
        typeId = element;
      }
      accessors.push({ typeId, index: accessor.index, name: "" });
      const size = sizeOf(this.#target, typeId);
      offset_bits = checkedBits(offset_bits + accessor.index * size * 8);
      indices++;
    }
    return { rootTypeId, accessors, offset_bits };
  }

  /** The enumerator of the same name, flavors aside, in the candidate `rootTypeId`. */
  enumerator(local: AccessPath, rootTypeId: number): AccessPath | undefined {
    const name = essentialName(local.accessors[0]!.name);
    const typeId = skipModifiers(this.#target, rootTypeId);
    const type = this.#target.types[typeId]!;
    if (type.kind !== "enum") return undefined;
    const index = type.enumerators.findIndex((enumerator) => {
      this.#budget.spend();
      return essentialName(enumerator.name) === name;
    });
    if (index < 0) return undefined;
    const found = type.enumerators[index]!.name;
    return { rootTypeId, accessors: [{ typeId, index, name: found }], offset_bits: 0 };
  }

  /** Element type of the array that is indexed, or undefined where the index does not fit. */
  #element(accessor: Accessor, typeId: number, owner: Accessor): number | undefined {
    const array = this.#target.types[typeId]!;
    if (array.kind !== "array") return undefined;
    const fits = accessor.index < array.length || isFlexible(this.#target, owner, array.length);
    return fits ? skipModifiers(this.#target, array.elementTypeId) : undefined;
  }

  /** The member of the accessor's name in `typeId`, or in an anonymous member of it. */
  #member(
    accessor: Accessor,
    typeId: number,
    base_bits: number,
    indices: number,
  ): FoundMember | undefined {
    const type = this.#target.types[skipModifiers(this.#target, typeId)]!;
    if (type.kind !== "struct" && type.kind !== "union") return undefined;
    if (indices >= INDICES_MAX) malformed("types nest too deeply");
    for (const [index, member] of type.members.entries()) {
      this.#budget.spend();
      const offset_bits = base_bits + member.offset_bits;
      if (member.name === "") {
        const found = this.#member(accessor, member.typeId, offset_bits, indices + 1);
        if (found !== undefined) return { ...found, depth: found.depth + 1 };
      } else if (member.name === accessor.name) {
        const local = this.#local.types[accessor.typeId] as BtfType & { kind: "struct" };
        const localTypeId = local.members[accessor.index]!.typeId;
        if (!this.#comparison.fieldsCompatible(localTypeId, member.typeId)) return undefined;
        const step = { typeId: skipModifiers(this.#target, typeId), index, name: member.name };
        return { accessor: step, offset_bits, typeId: member.typeId, depth: 1 };
      }
    }
    return undefined;
  }
}

interface FoundMember {
  readonly accessor: Accessor;
  readonly offset_bits: number;
  readonly typeId: number;
  /** Steps through anonymous members, and the last one. */
  readonly depth: number;
}

/** A path as C writes it: `"struct sock.__sk_common.skc_family"`. */
export function describePath(btf: Btf, { rootTypeId, accessors }: AccessPath): string {
  let text = typeName(btf, rootTypeId);
  for (const [i, { name, index }] of accessors.entries()) {
    if (name !== "") text += `.${name}`;
    else if (i > 0 || index > 0) text += `[${index}]`;
  }
  return text;
}

function checkedBits(bits: number): number {
  if (bits > Number.MAX_SAFE_INTEGER) malformed("access leads out of all types");
  return bits;
}

function malformed(problem: string): never {
  throw new BpfError("relocate", problem, { errno: ERRNO.EINVAL });
}
