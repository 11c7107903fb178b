/** Values of `__kconfig` externs, encoded as libbpf encodes what it reads from a kernel's config. */

import type { BtfType } from "#core/btf/btf.ts";
import { skipModifiers, typeName } from "#core/btf/queries.ts";
import { ERRNO } from "#core/errors.ts";
import { numberBytes } from "./number_bytes.ts";
import type { ExternSpec, ObjectSpec } from "./object_spec.ts";
import { openError } from "./open_error.ts";

/** `y`, `n`, `m`, a number or a text, as a kernel's configuration has them. */
export type KconfigValue = number | bigint | string | boolean;

/** `enum libbpf_tristate`. */
const TRISTATE = { n: 0, y: 1, m: 2 } as const;
type Tristate = keyof typeof TRISTATE;

/**
 * Bytes of an extern; an unanswered weak one is zero. Throws `BpfError`: ENOENT for an unanswered
 * strong one, EINVAL or ERANGE for a value that the extern's type cannot hold.
 */
export function kconfigBytes(
  spec: ObjectSpec,
  extern: ExternSpec,
  value: KconfigValue | undefined,
): Uint8Array {
  const { name, size, weak, typeId } = extern;
  if (value === undefined) {
    if (weak) return new Uint8Array(size);
    throw openError(spec.name, `the kernel's configuration has no "${name}"`, {
      errno: ERRNO.ENOENT,
      hint: "declare it __weak, or add it to the configuration",
    });
  }
  const bytes = encoded(spec, extern, value);
  if (bytes !== undefined) return bytes;
  const type = typeName(spec.btf, typeId);
  const shown = typeof value === "string" ? `"${value}"` : `${value}`;
  throw openError(spec.name, `"${name}" is ${shown} in the configuration, not of type ${type}`);
}

function encoded(
  spec: ObjectSpec,
  extern: ExternSpec,
  value: KconfigValue,
): Uint8Array | undefined {
  const type = resolved(spec, extern.typeId);
  const tristate = asTristate(value);
  switch (type.kind) {
    case "int":
      return integer(spec, extern, type, value, tristate);
    case "enum":
      if (type.name !== "libbpf_tristate" || type.size !== 4 || tristate === undefined) return;
      return numberBytes(spec.name, extern.name, TRISTATE[tristate], 4, false);
    case "array":
      if (typeof value !== "string" || !isCharacter(resolved(spec, type.elementTypeId))) return;
      return text(value, extern.size);
    default:
      return undefined;
  }
}

function integer(
  spec: ObjectSpec,
  { name, size }: ExternSpec,
  type: BtfType & { kind: "int" },
  value: KconfigValue,
  tristate: Tristate | undefined,
): Uint8Array | undefined {
  if (typeof value === "number" || typeof value === "bigint") {
    return numberBytes(spec.name, name, value, size, type.signed, type.bool);
  }
  if (tristate === undefined) return undefined;
  if (type.bool) return tristate === "m" ? undefined : Uint8Array.of(TRISTATE[tristate]);
  // A `char` holds the letter itself.
  return isCharacter(type) ? Uint8Array.of(tristate.charCodeAt(0)) : undefined;
}

function asTristate(value: KconfigValue): Tristate | undefined {
  if (typeof value === "boolean") return value ? "y" : "n";
  return value === "y" || value === "n" || value === "m" ? value : undefined;
}

function isCharacter(type: BtfType): boolean {
  return type.kind === "int" && type.size === 1 && !type.bool;
}

/** A NUL-terminated text, cut to fit. */
function text(value: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(new TextEncoder().encode(value).subarray(0, Math.max(0, size - 1)));
  return bytes;
}

function resolved(spec: ObjectSpec, typeId: number): BtfType {
  return spec.btf.types[skipModifiers(spec.btf, typeId)]!;
}
