/** How a kernel lays out the contexts of its tracepoints, from its BTF. */
import type { Btf } from "../btf/btf.ts";
import { elementOf, type Field, layoutOf } from "../btf/layout.ts";
import { findType } from "../btf/queries.ts";
import { BpfError, ERRNO } from "../errors.ts";
import type { HookField, HookLayout } from "./schema.ts";

export interface HookNames {
  readonly id: number;
  /** Kind and name as in a BPF section. */
  readonly hook: string;
  /** Names that kernels give the context's struct, the newest first. */
  readonly structs: readonly string[];
}

/** Throws `BpfError` (ENOENT) where the kernel has none of the structs. */
export function hookLayout(kernel: Btf, { id, hook, structs }: HookNames): HookLayout {
  for (const struct of structs) {
    const typeId = findType(kernel, struct, "struct");
    if (typeId === undefined) continue;
    const layout = layoutOf(kernel, typeId);
    const fields = layout.fields.flatMap((field) => hookField(kernel, field));
    return { id, hook, struct, size: layout.size, fields };
  }
  throw new BpfError(`lay out ${hook}`, `the kernel's BTF has no struct ${structs.join(" or ")}`, {
    errno: ERRNO.ENOENT,
    hint: "leave out the collector that needs it",
  });
}

function hookField(kernel: Btf, field: Field): HookField[] {
  const { path: name, offset, size } = field;
  // Members of structs stand in the list themselves; bit fields and flexible arrays have no bytes.
  if (field.kind === "struct" || field.kind === "union" || field.bitField || size === 0) return [];
  if (field.kind !== "array") return [{ name, offset, size, signed: field.signed, count: 1 }];
  const element = elementOf(kernel, field, 0);
  if (element.size === 0 || element.kind === "struct" || element.kind === "array") return [];
  const count = size / element.size;
  return [{ name, offset, size: element.size, signed: element.signed, count }];
}
