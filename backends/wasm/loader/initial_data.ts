/** Bytes of global data as a program first sees them: compiled values, constants, configuration. */

import { skipModifiers, typeName } from "#core/btf/queries.ts";
import { ERRNO } from "#core/errors.ts";
import { type KconfigValue, kconfigBytes } from "./kconfig.ts";
import { numberBytes } from "./number_bytes.ts";
import type { GlobalVariable, ObjectSpec } from "./object_spec.ts";
import { openError } from "./open_error.ts";
import { own } from "./own.ts";

export interface InitialDataOptions {
  /** Values of global variables, by name; numbers are encoded by the variable's type. */
  readonly constants?: Readonly<Record<string, number | bigint | Uint8Array>>;
  /** Answers to `__kconfig` externs by name: `LINUX_KERNEL_VERSION`, `CONFIG_*`. */
  readonly kconfig?: Readonly<Record<string, KconfigValue>>;
}

/**
 * The value of every global-data map, by map name; the caller owns the bytes. Throws `BpfError`:
 * ENOENT for an unknown variable or unanswered extern, ERANGE for a number that does not fit.
 */
export function initialData(
  spec: ObjectSpec,
  options: InitialDataOptions = {},
): Map<string, Uint8Array> {
  const data = new Map<string, Uint8Array>();
  for (const map of spec.maps) {
    if (map.content === "map") continue;
    data.set(map.spec.name, map.initial?.slice() ?? new Uint8Array(map.spec.valueSize));
  }
  for (const extern of spec.externs) {
    if (extern.kind !== "kconfig") continue;
    const bytes = kconfigBytes(spec, extern, own(options.kconfig, extern.name));
    data.get(".kconfig")!.set(bytes, extern.offset);
  }
  for (const [name, value] of Object.entries(options.constants ?? {})) {
    const variable = findVariable(spec, name);
    const bytes = variableBytes(spec, variable, value);
    data.get(variable.map)!.set(bytes, variable.offset);
  }
  return data;
}

/**
 * The global variable of this name; among static ones of the same name (of several functions or
 * files) none is preferred. Throws `BpfError` with ENOENT where there is none, EINVAL where there
 * are several.
 */
export function findVariable(spec: ObjectSpec, name: string): GlobalVariable {
  const found = spec.variables.filter((variable) => variable.name === name);
  const global = found.find((variable) => !variable.static) ?? found[0];
  if (global === undefined) {
    throw openError(spec.name, `no global variable is called "${name}"`, {
      errno: ERRNO.ENOENT,
      hint: "declare it `const volatile`, and use it, so that the compiler keeps it",
    });
  }
  if (global.static && found.length > 1) {
    throw openError(spec.name, `${found.length} static variables are called "${name}"`);
  }
  return global;
}

function variableBytes(
  spec: ObjectSpec,
  variable: GlobalVariable,
  value: number | bigint | Uint8Array,
): Uint8Array {
  const { name, size, typeId } = variable;
  if (value instanceof Uint8Array) {
    if (value.length === size) return value;
    throw openError(spec.name, `variable "${name}" has ${size} bytes, not ${value.length}`);
  }
  const type = spec.btf.types[skipModifiers(spec.btf, typeId)]!;
  if (type.kind === "float" && (size === 4 || size === 8)) return floatBytes(Number(value), size);
  if ((type.kind !== "int" && type.kind !== "enum") || type.size !== size) {
    throw openError(spec.name, `variable "${name}" is ${typeName(spec.btf, typeId)}, no number`, {
      hint: "give its bytes",
    });
  }
  const bool = type.kind === "int" && type.bool;
  return numberBytes(spec.name, name, value, size, type.signed, bool);
}

function floatBytes(value: number, size: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  if (size === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return bytes;
}
