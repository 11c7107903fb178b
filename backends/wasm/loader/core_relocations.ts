/**
 * CO-RE: relocates instructions from the types that an object was compiled with to those of the
 * kernel that will run it.
 */

import type { Btf } from "#core/btf/btf.ts";
import type { BtfCoreRelocation } from "#core/btf/ext.ts";
import { describeType, typeName } from "#core/btf/queries.ts";
import { BpfError } from "#core/errors.ts";
import {
  type AccessPath,
  describePath,
  enumeratorPath,
  fieldPath,
  PathMatcher,
  parseAccessString,
} from "./core_access.ts";
import type { CoreResult } from "./core_patch.ts";
import { findCandidates, StepBudget, TypeComparison } from "./core_types.ts";
import {
  CORE_KIND,
  CORE_KIND_NAMES,
  type CoreValue,
  coreValue,
  isEnumeratorKind,
  isFieldKind,
  resizable,
} from "./core_values.ts";
import { LIMITS } from "./limits.ts";

/** Resolves relocations of one object against one kernel, in the order of the object. */
export class CoreResolver {
  readonly #local: Btf;
  readonly #target: Btf;
  readonly #comparison: TypeComparison;
  readonly #matcher: PathMatcher;
  /** By local type: the kernel's types that matched so far, as later relocations must agree. */
  readonly #candidates = new Map<number, readonly number[]>();

  constructor(local: Btf, target: Btf) {
    const budget = new StepBudget(LIMITS.coreSteps);
    this.#local = local;
    this.#target = target;
    this.#comparison = new TypeComparison(local, target, budget);
    this.#matcher = new PathMatcher(local, target, this.#comparison, budget);
  }

  /** Throws `BpfError` where the relocation is malformed or its answer ambiguous. */
  resolve(relocation: BtfCoreRelocation): CoreResult {
    const { kind, typeId } = relocation;
    const path = localPath(this.#local, relocation);
    if (kind === CORE_KIND.TYPE_ID_LOCAL) return localTypeId(typeId);
    if (this.#local.types[typeId]!.name === "") {
      throw new BpfError("relocate", `${describeType(this.#local, typeId)} is anonymous`);
    }
    const matched: number[] = [];
    let result: CoreResult | undefined;
    let offset_bits = 0;
    for (const candidate of this.#candidatesOf(typeId)) {
      const found = this.#match(path, kind, candidate);
      if (found === undefined) continue;
      const next = this.#result(path, found, kind);
      if (result !== undefined && (!agree(result, next) || found.offset_bits !== offset_bits)) {
        throw new BpfError("relocate", "several types of the kernel match, and they disagree");
      }
      result ??= next;
      offset_bits = found.offset_bits;
      matched.push(candidate);
    }
    if (matched.length > 0) this.#candidates.set(typeId, matched);
    return result ?? this.#result(path, undefined, kind);
  }

  #candidatesOf(typeId: number): readonly number[] {
    let candidates = this.#candidates.get(typeId);
    if (candidates === undefined) {
      candidates = findCandidates(this.#target, this.#local.types[typeId]!);
      this.#candidates.set(typeId, candidates);
    }
    return candidates;
  }

  #match(path: AccessPath, kind: number, candidate: number): AccessPath | undefined {
    if (isFieldKind(kind)) return this.#matcher.field(path, candidate);
    if (isEnumeratorKind(kind)) return this.#matcher.enumerator(path, candidate);
    const matches =
      kind === CORE_KIND.TYPE_MATCHES
        ? this.#comparison.matches(path.rootTypeId, candidate)
        : this.#comparison.compatible(path.rootTypeId, candidate);
    return matches ? { rootTypeId: candidate, accessors: [], offset_bits: 0 } : undefined;
  }

  #result(path: AccessPath, found: AccessPath | undefined, kind: number): CoreResult {
    const local = coreValue(this.#local, path, kind)!;
    const target = coreValue(this.#target, found, kind);
    return {
      compiled: local.value,
      value: target?.value ?? 0n,
      certain: local.certain,
      compiledSize: local.size,
      size: target?.size ?? 0,
      resizable: target !== undefined && this.#resizable(local, target),
      missing: target === undefined ? "the kernel's types have no such thing" : undefined,
    };
  }

  #resizable(local: CoreValue, target: CoreValue): boolean {
    return resizable(this.#local.types[local.typeId]!, this.#target.types[target.typeId]!);
  }
}

function agree(one: CoreResult, other: CoreResult): boolean {
  return one.value === other.value && one.missing === other.missing;
}

function localTypeId(typeId: number): CoreResult {
  const value = BigInt(typeId);
  return {
    compiled: value,
    value,
    certain: false,
    compiledSize: 0,
    size: 0,
    resizable: false,
    missing: undefined,
  };
}

function localPath(btf: Btf, { kind, typeId, access }: BtfCoreRelocation): AccessPath {
  if (kind >= CORE_KIND_NAMES.length) {
    throw new BpfError("relocate", `relocation kind ${kind} is unknown`, {
      hint: "compile with a clang that this version knows",
    });
  }
  const indices = parseAccessString(access);
  if (isFieldKind(kind)) return fieldPath(btf, typeId, indices);
  if (isEnumeratorKind(kind)) return enumeratorPath(btf, typeId, indices);
  if (access !== "0") throw new BpfError("relocate", `access string of a type is "${access}"`);
  return { rootTypeId: typeId, accessors: [], offset_bits: 0 };
}

/** What a relocation asks for, for messages: `"byte offset of struct sock.sk_family"`. */
export function describeCore(btf: Btf, relocation: BtfCoreRelocation): string {
  const what = CORE_KIND_NAMES[relocation.kind] ?? `kind ${relocation.kind}`;
  const { typeId } = relocation;
  try {
    const path = localPath(btf, relocation);
    if (isEnumeratorKind(relocation.kind)) {
      return `${what} of ${typeName(btf, typeId)} ${path.accessors[0]!.name}`;
    }
    return `${what} of ${describePath(btf, path)}`;
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return `${what} of ${describeType(btf, typeId)}, "${relocation.access}"`;
  }
}
