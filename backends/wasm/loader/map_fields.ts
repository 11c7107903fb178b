/** Where in a map's value the members lie that the kernel treats specially. */

import type { Btf } from "#core/btf/btf.ts";
import { skipModifiers } from "#core/btf/queries.ts";
import { BpfError, ERRNO } from "#core/errors.ts";

export interface SpecialFields {
  /** Byte offset of `struct bpf_spin_lock`, or -1. */
  readonly lockOffset: number;
  /** Byte offset of `struct bpf_timer`, or -1. */
  readonly timerOffset: number;
}

const NONE: SpecialFields = { lockOffset: -1, timerOffset: -1 };

/**
 * Looks through the members of the value type, or the variables of a section; not into nested
 * structs, as the kernel does not. `valueTypeId` 0 has none. Throws `BpfError` (E2BIG) where there
 * is more than one of a kind.
 */
export function specialFields(btf: Btf, valueTypeId: number): SpecialFields {
  if (valueTypeId === 0) return NONE;
  const type = btf.types[skipModifiers(btf, valueTypeId)]!;
  const locks: number[] = [];
  const timers: number[] = [];
  const note = (typeId: number, offset: number) => {
    const member = btf.types[typeId]!;
    if (member.kind !== "struct") return;
    if (member.name === "bpf_spin_lock") locks.push(offset);
    if (member.name === "bpf_timer") timers.push(offset);
  };
  if (type.kind === "struct") {
    for (const { typeId, offset_bits } of type.members) note(typeId, Math.trunc(offset_bits / 8));
  } else if (type.kind === "section") {
    for (const { typeId, offset } of type.variables) {
      const variable = btf.types[typeId]!;
      if (variable.kind === "variable") note(variable.typeId, offset);
    }
  }
  return {
    lockOffset: single(locks, "bpf_spin_lock"),
    timerOffset: single(timers, "bpf_timer"),
  };
}

function single(offsets: readonly number[], what: string): number {
  if (offsets.length > 1) {
    throw new BpfError("lay out map value", `the value has ${offsets.length} of struct ${what}`, {
      errno: ERRNO.E2BIG,
      hint: "keep one in each value",
    });
  }
  return offsets[0] ?? -1;
}
