/** What the codecs of scalars, arrays and structs have in common. */

import { BpfError } from "../errors.ts";
import type { Field } from "./layout.ts";

/** A decoded value; `codec.ts` says which C type becomes which. */
export type BtfValue =
  | number
  | bigint
  | string
  | Uint8Array
  | BtfValue[]
  | { [field: string]: BtfValue };

/** Codec of one field. `base` is where the struct around it starts; bounds are the caller's. */
export interface ValueCodec {
  /** Number of values that one decoding creates. */
  readonly values: number;
  readonly read: (view: DataView, base: number) => BtfValue;
  /** Writes no byte that `value` does not determine. `path` names the value in messages. */
  readonly write: (view: DataView, base: number, value: unknown, path: string) => void;
}

/** Makes the codec of a field at the field's offset. */
export type BuildCodec = (field: Field) => ValueCodec;

/** Throws the error of a value that cannot be encoded. */
export function badValue(path: string, problem: string, hint?: string): never {
  const subject = path === "" ? "the value" : `"${path}"`;
  throw new BpfError(
    "encode BTF value",
    `${subject} ${problem}`,
    hint === undefined ? {} : { hint },
  );
}

/** A value in a message, on one line. */
export function display(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}
