/**
 * Translates recorded hook contexts from the layout of the kernel that recorded them to the layout
 * of the simulated one.
 */
import type { Btf } from "#core/btf/btf.ts";
import { elementOf, type Layout, layoutOf } from "#core/btf/layout.ts";
import { findType } from "#core/btf/queries.ts";
import { BpfError } from "#core/errors.ts";
import type { HookField, HookLayout } from "#core/trace/schema.ts";

interface FieldCopy {
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly targetSize: number;
  readonly signed: boolean;
  readonly count: number;
}

export interface ContextPlan {
  /** Bytes of the recorded context and of the simulated kernel's. */
  readonly recordedSize: number;
  readonly size: number;
  /** Both layouts are the same: contexts are copied whole. */
  readonly identical: boolean;
  /** Writes the context at `from` of `source`, translated, to `to` of `target` (already zero). */
  translate(source: Uint8Array, from: number, target: Uint8Array, to: number): void;
}

function copyInteger(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  to: number,
  field: FieldCopy,
): void {
  const shared = Math.min(field.size, field.targetSize);
  for (let i = 0; i < shared; i++) target[to + i] = source[from + i]!;
  const negative = field.signed && source[from + field.size - 1]! >= 0x80;
  for (let i = shared; i < field.targetSize; i++) target[to + i] = negative ? 0xff : 0;
}

function fieldCopies(recorded: readonly HookField[], layout: Layout): FieldCopy[] {
  const copies: FieldCopy[] = [];
  for (const field of recorded) {
    const target = layout.fields.find(({ path }) => path === field.name);
    // A field that this kernel does not have is of no use to a program here.
    if (target === undefined) continue;
    const element = target.kind === "array" ? elementOf(layout.btf, target, 0) : target;
    const count = Math.min(field.count, target.size / element.size);
    const { offset: from, size, signed } = field;
    copies.push({ from, to: target.offset, size, targetSize: element.size, signed, count });
  }
  return copies;
}

function sameLayout(hook: HookLayout, size: number, copies: readonly FieldCopy[]): boolean {
  const unmoved = copies.every((copy) => copy.from === copy.to && copy.size === copy.targetSize);
  return hook.size === size && copies.length === hook.fields.length && unmoved;
}

/** Throws `BpfError` where the simulated kernel has no such context. */
export function createContextPlan(kernel: Btf, hook: HookLayout): ContextPlan {
  const id = findType(kernel, hook.struct, "struct");
  if (id === undefined) {
    throw new BpfError(`replay ${hook.hook}`, `the simulated kernel has no struct ${hook.struct}`, {
      hint: "add it to the simulated kernel's types",
    });
  }
  const layout = layoutOf(kernel, id);
  const copies = fieldCopies(hook.fields, layout);
  return {
    recordedSize: hook.size,
    size: layout.size,
    identical: sameLayout(hook, layout.size, copies),
    translate(source, from, target, to) {
      for (const copy of copies) {
        for (let i = 0; i < copy.count; i++) {
          const start = from + copy.from + i * copy.size;
          copyInteger(source, start, target, to + copy.to + i * copy.targetSize, copy);
        }
      }
    },
  };
}
