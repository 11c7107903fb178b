/**
 * When two types, one of an object and one of a kernel, count as the same for CO-RE. The rules are
 * those of libbpf and the kernel, which share them.
 */

import type { Btf, BtfType } from "#core/btf/btf.ts";
import { skipModifiers } from "#core/btf/queries.ts";
import { BpfError, ERRNO } from "#core/errors.ts";

/** How deep types may nest behind pointers and prototypes. */
const DEPTH_MAX = 32;

type Composite = BtfType & { kind: "struct" | "union" };
type Prototype = BtfType & { kind: "prototype" };
type Enum = BtfType & { kind: "enum" };

/**
 * The name without its flavor: `"task_struct"` of `"task_struct___v5"`. A flavor is what follows the
 * last three underscores that stand between other characters.
 */
export function essentialName(name: string): string {
  for (let i = name.length - 5; i >= 0; i--) {
    const separator = name.startsWith("___", i + 1) && name[i] !== "_" && name[i + 4] !== "_";
    if (separator) return name.slice(0, i + 1);
  }
  return name;
}

/** Ids by kind and essential name, built on the first search of a kernel's types. */
const indexes = new WeakMap<Btf, Map<string, number[]>>();

/** Ids of the kernel's types that `local` may stand for, ascending. Anonymous types have none. */
export function findCandidates(target: Btf, local: BtfType): readonly number[] {
  if (local.name === "") return [];
  let index = indexes.get(target);
  if (index === undefined) {
    index = buildIndex(target);
    indexes.set(target, index);
  }
  return index.get(`${local.kind} ${essentialName(local.name)}`) ?? [];
}

function buildIndex(btf: Btf): Map<string, number[]> {
  const index = new Map<string, number[]>();
  for (let id = 1; id < btf.types.length; id++) {
    const { kind, name } = btf.types[id]!;
    if (name === "") continue;
    const key = `${kind} ${essentialName(name)}`;
    const ids = index.get(key);
    if (ids === undefined) index.set(key, [id]);
    else ids.push(id);
  }
  return index;
}

/** Limits the work of all comparisons together; each look at a type or member counts. */
export class StepBudget {
  #left: number;

  constructor(steps: number) {
    this.#left = steps;
  }

  /** Throws `BpfError` (E2BIG) once the budget is used up. */
  spend(): void {
    if (--this.#left >= 0) return;
    throw new BpfError("relocate", "the types are too entangled to match", { errno: ERRNO.E2BIG });
  }
}

/** Compares types of an object (`local`) with a kernel's (`target`). */
export class TypeComparison {
  readonly #local: Btf;
  readonly #target: Btf;
  readonly #budget: StepBudget;

  constructor(local: Btf, target: Btf, budget: StepBudget) {
    this.#local = local;
    this.#target = target;
    this.#budget = budget;
  }

  #resolve(localId: number, targetId: number): { local: BtfType; target: BtfType } {
    this.#budget.spend();
    return {
      local: this.#local.types[skipModifiers(this.#local, localId)]!,
      target: this.#target.types[skipModifiers(this.#target, targetId)]!,
    };
  }

  /** Whether a member of one type can be read as the other: a rough likeness, names aside. */
  fieldsCompatible(localId: number, targetId: number): boolean {
    let at = { localId, targetId };
    for (;;) {
      const { local, target } = this.#resolve(at.localId, at.targetId);
      if (isComposite(local) && isComposite(target)) return true;
      switch (local.kind) {
        case "pointer":
        case "float":
          return local.kind === target.kind;
        case "enum":
        case "forward":
          return local.kind === target.kind && namesAgreeOrMissing(local.name, target.name);
        case "int":
          return target.kind === "int" && local.bitOffset === 0 && target.bitOffset === 0;
        case "array":
          if (target.kind !== "array") return false;
          at = { localId: local.elementTypeId, targetId: target.elementTypeId };
          continue;
        default:
          return false;
      }
    }
  }

  /** Whether a type exists in the kernel (`bpf_core_type_exists`): same kinds all the way down. */
  compatible(localId: number, targetId: number): boolean {
    const outermost = this.#local.types[localId]!.kind === this.#target.types[targetId]!.kind;
    return outermost && this.#compatible(localId, targetId, DEPTH_MAX);
  }

  #compatible(localId: number, targetId: number, level: number): boolean {
    let at = { localId, targetId };
    for (let depth = 0; depth < DEPTH_MAX; depth++) {
      const { local, target } = this.#resolve(at.localId, at.targetId);
      if (local.kind !== target.kind) return false;
      switch (local.kind) {
        case "void":
        case "struct":
        case "union":
        case "enum":
        case "forward":
          return true;
        case "int":
          return local.bitOffset === 0 && (target as typeof local).bitOffset === 0;
        case "pointer":
          at = { localId: local.typeId, targetId: (target as typeof local).typeId };
          break;
        case "array": {
          const other = target as typeof local;
          at = { localId: local.elementTypeId, targetId: other.elementTypeId };
          break;
        }
        case "prototype": {
          const other = target as typeof local;
          if (!this.#parametersCompatible(local, other, level)) return false;
          at = { localId: local.returnTypeId, targetId: other.returnTypeId };
          break;
        }
        default:
          return false;
      }
    }
    return tooDeep();
  }

  #parametersCompatible(local: Prototype, target: Prototype, level: number): boolean {
    if (local.parameters.length !== target.parameters.length) return false;
    return local.parameters.every(({ typeId }, i) => {
      if (level <= 0) return tooDeep();
      return this.#compatible(typeId, target.parameters[i]!.typeId, level - 1);
    });
  }

  /** Whether a type matches the kernel's (`bpf_core_type_matches`): members by name and type too. */
  matches(localId: number, targetId: number): boolean {
    return this.#matches(localId, targetId, false, DEPTH_MAX);
  }

  #matches(localId: number, targetId: number, behindPointer: boolean, level: number): boolean {
    let at = { localId, targetId };
    let pointer = behindPointer;
    if (level <= 0) return tooDeep();
    for (;;) {
      const { local, target } = this.#resolve(at.localId, at.targetId);
      if (essentialName(local.name) !== essentialName(target.name)) return false;
      switch (local.kind) {
        case "void":
          return target.kind === "void";
        case "forward":
          return forwardMatches(local, target, pointer);
        case "enum":
          return target.kind === "enum" && this.#enumsMatch(local, target);
        case "struct":
        case "union":
          if (pointer) return compositeMatchesBehindPointer(local, target);
          return local.kind === target.kind && this.#membersMatch(local, target, level);
        case "int": {
          if (target.kind !== "int") return false;
          return local.size === target.size && local.signed === target.signed;
        }
        case "pointer":
          if (target.kind !== "pointer") return false;
          pointer = true;
          at = { localId: local.typeId, targetId: target.typeId };
          continue;
        case "array":
          if (target.kind !== "array" || local.length !== target.length) return false;
          at = { localId: local.elementTypeId, targetId: target.elementTypeId };
          continue;
        case "prototype":
          if (target.kind !== "prototype") return false;
          if (!this.#parametersMatch(local, target, pointer, level)) return false;
          at = { localId: local.returnTypeId, targetId: target.returnTypeId };
          continue;
        default:
          return false;
      }
    }
  }

  #enumsMatch(local: Enum, target: Enum): boolean {
    if (local.enumerators.length > target.enumerators.length) return false;
    const names = new Set(target.enumerators.map(({ name }) => essentialName(name)));
    return local.enumerators.every(({ name }) => {
      this.#budget.spend();
      return names.has(essentialName(name));
    });
  }

  /** Each local member needs one of its name and a matching type in the target, in any order. */
  #membersMatch(local: Composite, target: BtfType, level: number): boolean {
    const others = (target as Composite).members;
    if (local.members.length > others.length) return false;
    return local.members.every((member) => {
      const name = essentialName(member.name);
      return others.some((other) => {
        this.#budget.spend();
        if (essentialName(other.name) !== name) return false;
        return this.#matches(member.typeId, other.typeId, false, level - 1);
      });
    });
  }

  #parametersMatch(local: Prototype, target: Prototype, pointer: boolean, level: number): boolean {
    if (local.parameters.length !== target.parameters.length) return false;
    return local.parameters.every(({ typeId }, i) =>
      this.#matches(typeId, target.parameters[i]!.typeId, pointer, level - 1),
    );
  }
}

function isComposite(type: BtfType): type is Composite {
  return type.kind === "struct" || type.kind === "union";
}

function namesAgreeOrMissing(local: string, target: string): boolean {
  return local === "" || target === "" || essentialName(local) === essentialName(target);
}

/** A forward declaration behind a pointer matches the definition. */
function forwardMatches(
  local: BtfType & { kind: "forward" },
  target: BtfType,
  behindPointer: boolean,
): boolean {
  if (target.kind === "forward") return local.union === target.union;
  return behindPointer && target.kind === (local.union ? "union" : "struct");
}

/** Behind a pointer only kind and name count. */
function compositeMatchesBehindPointer(local: Composite, target: BtfType): boolean {
  if (target.kind === "forward") return target.union === (local.kind === "union");
  return local.kind === target.kind;
}

function tooDeep(): never {
  throw new BpfError("relocate", `types nest deeper than ${DEPTH_MAX}`, { errno: ERRNO.E2BIG });
}
