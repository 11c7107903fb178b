/** What `vm run` and `vm trace` take: an object, one of its programs, a context. */
import { readFileSync } from "node:fs";
import type { BpfObject, Program } from "#core/backend.ts";
import { BpfError } from "#core/errors.ts";
import { UsageError } from "./usage_error.ts";

export function readObject(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new BpfError(`open ${path}`, "no such file, or not readable", { cause });
  }
}

/** `--context`: bytes in hex. */
export function contextBytes(text: string | boolean | undefined): Uint8Array {
  const hex = String(text ?? "");
  if (hex.length % 2 === 0 && /^[0-9a-f]*$/i.test(hex)) return Buffer.from(hex, "hex");
  throw new UsageError(`--context ${hex}: give two hexadecimal digits for each byte`);
}

/** The program of that name, the first without one. Throws `BpfError` naming those there are. */
export function findProgram(object: BpfObject, path: string, name: string | undefined): Program {
  const names = [...object.programs.keys()];
  const wanted = name ?? String(names[0]);
  const program = object.programs.get(wanted);
  if (program !== undefined) return program;
  const known = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
  throw new BpfError(`run ${path}`, `the object has no program ${wanted}`, { hint: known });
}
