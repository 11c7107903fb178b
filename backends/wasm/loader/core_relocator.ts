/** Applies the CO-RE relocations of an object to the code of its functions. */

import type { Btf } from "#core/btf/btf.ts";
import type { BtfCoreRelocation } from "#core/btf/ext.ts";
import { BpfError } from "#core/errors.ts";
import { CorePatchError, type CoreResult, patchInstruction } from "./core_patch.ts";
import { CoreResolver, describeCore } from "./core_relocations.ts";
import { CORE_KIND } from "./core_values.ts";
import { type Code, SLOT_BYTES } from "./instructions.ts";
import type { PoisonedInstruction } from "./linked_program.ts";
import { lowerBound } from "./lower_bound.ts";
import type { FunctionSpec, ObjectSpec } from "./object_spec.ts";
import { openError } from "./open_error.ts";
import { printable } from "./printable.ts";

/** A relocation, and what became of it. An error counts only where a program reaches the code. */
interface Resolved {
  readonly relocation: BtfCoreRelocation;
  readonly slot: number;
  readonly outcome: CoreResult | BpfError;
}

export class CoreRelocator {
  readonly #spec: ObjectSpec;
  readonly #target: Btf | undefined;
  #sections: Map<string, Resolved[]> | undefined;

  constructor(spec: ObjectSpec, target: Btf | undefined) {
    this.#spec = spec;
    this.#target = target;
  }

  /**
   * Patches a function's code; slots of the result count from its start. Throws `BpfError`
   * (operation `open <name>`) for a relocation that cannot be applied.
   */
  apply(owner: FunctionSpec, code: Code): PoisonedInstruction[] {
    const poisoned: PoisonedInstruction[] = [];
    const relocations = this.#resolved().get(owner.section) ?? [];
    for (
      let i = lowerBound(relocations, owner.start, ({ slot }) => slot);
      i < relocations.length;
      i++
    ) {
      const resolved = relocations[i]!;
      const slot = resolved.slot - owner.start;
      if (slot >= owner.length) break;
      const lddw = code.isLddw(slot);
      const problem = this.#patch(owner, code, slot, resolved);
      if (problem === undefined) continue;
      const what = describeCore(this.#spec.btf, resolved.relocation);
      const reason = printable(`CO-RE relocation (${what}): ${problem}`);
      poisoned.push({ slot, reason });
      if (lddw) poisoned.push({ slot: slot + 1, reason });
    }
    return poisoned;
  }

  #patch(owner: FunctionSpec, code: Code, slot: number, resolved: Resolved): string | undefined {
    const { outcome } = resolved;
    if (outcome instanceof BpfError) {
      const problem = outcome.message.replace(/^relocate: /, "");
      this.#fail(owner, slot, resolved, problem, outcome);
    }
    try {
      return patchInstruction(code, slot, outcome);
    } catch (error) {
      if (!(error instanceof CorePatchError)) throw error;
      return this.#fail(owner, slot, resolved, error.message, error);
    }
  }

  #fail(
    owner: FunctionSpec,
    slot: number,
    { relocation }: Resolved,
    problem: string,
    cause: Error,
  ): never {
    const what = describeCore(this.#spec.btf, relocation);
    throw openError(
      this.#spec.name,
      `CO-RE relocation (${what}) of instruction ${slot} of "${owner.name}": ${problem}`,
      { cause },
    );
  }

  /**
   * Resolves all relocations, in the order of the object: later ones must agree with what earlier
   * ones of the same type found.
   */
  #resolved(): ReadonlyMap<string, readonly Resolved[]> {
    if (this.#sections !== undefined) return this.#sections;
    this.#sections = new Map();
    const { btf, ext, name } = this.#spec;
    const resolver = new CoreResolver(btf, this.#target ?? { ...btf, types: [btf.types[0]!] });
    for (const relocation of ext.coreRelocations) {
      const { section, instructionOffset, kind } = relocation;
      const list = this.#sections.get(section) ?? [];
      this.#sections.set(section, list);
      const outcome =
        this.#target === undefined && kind !== CORE_KIND.TYPE_ID_LOCAL
          ? noTarget(name)
          : attempt(() => resolver.resolve(relocation));
      const slot = instructionOffset / SLOT_BYTES;
      list.push({ relocation, slot, outcome });
    }
    // Stable: relocations of one instruction stay in order.
    for (const list of this.#sections.values()) list.sort((a, b) => a.slot - b.slot);
    return this.#sections;
  }
}

function attempt(resolve: () => CoreResult): CoreResult | BpfError {
  try {
    return resolve();
  } catch (error) {
    if (error instanceof BpfError) return error;
    throw error;
  }
}

function noTarget(name: string): BpfError {
  return openError(name, "needs the types of a kernel, and none were given", {
    hint: "pass targetBtf",
  });
}
