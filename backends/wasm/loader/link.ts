/**
 * Links programs: the entry function, then every function that it reaches, in the order in which
 * libbpf appends them; calls become relative, and what code refers to becomes `references`.
 */

import type { Btf } from "#core/btf/btf.ts";
import { ERRNO } from "#core/errors.ts";
import { Code, SLOT_BYTES } from "./instructions.ts";
import { LIMITS } from "./limits.ts";
import type {
  LineEntry,
  LinkedProgram,
  PoisonedInstruction,
  Reference,
  Subprogram,
} from "./linked_program.ts";
import type { FunctionSpec, ObjectSpec, ProgramSpec } from "./object_spec.ts";
import { openError } from "./open_error.ts";
import { type FunctionReference, FunctionRelocator } from "./relocate_function.ts";
import { SourceLines } from "./source_lines.ts";

export interface LinkOptions {
  /** Types of the kernel that will run the programs, for CO-RE. */
  readonly targetBtf?: Btf;
  /** Programs to link, by name; default all that load by default. */
  readonly programs?: readonly string[];
  /** Numbers of kernel functions (kfuncs) that programs may call, by name. */
  readonly kernelFunctions?: Readonly<Record<string, number>>;
  /** Addresses of kernel symbols (`__ksym` variables), by name. */
  readonly kernelSymbols?: Readonly<Record<string, bigint>>;
}

/**
 * Links the programs of an object, in its order. Throws `BpfError` (operation `open <name>`): ENOENT
 * for a program or a strong extern that does not exist, EINVAL for what cannot be relocated.
 */
export function linkPrograms(spec: ObjectSpec, options: LinkOptions = {}): LinkedProgram[] {
  const linker = new Linker(spec, options);
  return selectPrograms(spec, options.programs).map((program) => linker.link(program));
}

/** Programs of an object to load: those named, or all that load by themselves. Throws ENOENT. */
export function selectPrograms(
  spec: ObjectSpec,
  names: readonly string[] | undefined,
): readonly ProgramSpec[] {
  if (names === undefined) return spec.programs.filter(({ autoload }) => autoload);
  for (const name of names) {
    if (spec.programs.some((program) => program.name === name)) continue;
    const known = spec.programs.map((program) => program.name).join(", ");
    throw openError(spec.name, `object has no program "${name}"`, {
      errno: ERRNO.ENOENT,
      hint: known === "" ? "it has none" : `it has ${known}`,
    });
  }
  return spec.programs.filter(({ name }) => names.includes(name));
}

class Linker {
  readonly #spec: ObjectSpec;
  readonly #relocator: FunctionRelocator;
  readonly #lines: SourceLines;
  #linkedInstructions = 0;

  constructor(spec: ObjectSpec, options: LinkOptions) {
    this.#spec = spec;
    this.#relocator = new FunctionRelocator(spec, options);
    this.#lines = new SourceLines(spec.ext.lines);
  }

  link(program: ProgramSpec): LinkedProgram {
    const placed = this.#reach(program.entry);
    const last = [...placed.values()].at(-1)!;
    const slots = last.start + last.function.length;
    this.#linkedInstructions += slots;
    if (this.#linkedInstructions > LIMITS.linkedInstructions) {
      throw openError(
        this.#spec.name,
        `linked programs exceed ${LIMITS.linkedInstructions} instructions`,
        { hint: "load fewer programs from one object" },
      );
    }
    const code = new Code(new Uint8Array(slots * SLOT_BYTES));
    const references: Reference[] = [];
    const subprograms: Subprogram[] = [];
    const lines: LineEntry[] = [];
    const poisoned: PoisonedInstruction[] = [];
    for (const { function: linked, start } of placed.values()) {
      const relocated = this.#relocator.relocate(linked);
      code.bytes.set(relocated.bytes, start * SLOT_BYTES);
      subprograms.push({ name: linked.name, start, length: linked.length });
      for (const reference of relocated.references) {
        references.push({ ...reference, slot: start + reference.slot });
      }
      for (const reference of relocated.functions) {
        const target = placed.get(reference.target)!.start;
        const slot = start + reference.slot;
        if (reference.call) code.setImm(slot, target - slot - 1);
        else references.push({ kind: "function", slot, target });
      }
      for (const { slot, reason } of relocated.poisoned) {
        poisoned.push({ slot: start + slot, reason });
      }
      this.#lines.collect(linked, start, lines);
    }
    references.sort((a, b) => a.slot - b.slot);
    return {
      name: program.name,
      section: program.section,
      code: code.bytes,
      references,
      subprograms,
      lines,
      poisoned,
    };
  }

  /**
   * Places the entry and what it reaches: a function follows at its first mention, before what the
   * mentioning function mentions later. Keyed by the relocator's keys, in order of placement.
   */
  #reach(entry: FunctionSpec): Map<string, Placed> {
    const placed = new Map<string, Placed>();
    const pending: { readonly mentions: readonly FunctionReference[]; next: number }[] = [];
    let slots = 0;
    const place = (key: string, found: FunctionSpec) => {
      placed.set(key, { function: found, start: slots });
      slots += found.length;
      pending.push({ mentions: this.#relocator.relocate(found).functions, next: 0 });
    };
    place(this.#relocator.key(entry.sectionIndex, entry.start), entry);
    for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
      const mention = top.mentions[top.next++];
      if (mention === undefined) pending.pop();
      else if (!placed.has(mention.target)) {
        place(mention.target, this.#relocator.function(mention.target));
      }
    }
    return placed;
  }
}

interface Placed {
  readonly function: FunctionSpec;
  readonly start: number;
}
