/** What libbpf makes of an object: an oracle that needs neither a kernel nor root. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Code, LDDW_SOURCE } from "#wasm/loader/instructions.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";
import type { ObjectMap } from "#wasm/loader/object_spec.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SOURCE = join(ROOT, "test/support/libbpf_link.c");
/** libbpf calls an object by its file's name up to the first dot. */
export const LIBBPF_OBJECT = "object";

export interface LibbpfMap {
  readonly name: string;
  readonly handle: number;
  /** type, key size, value size, max entries, flags, BTF ids of key and value. */
  readonly numbers: readonly number[];
  readonly initial: Uint8Array;
}

export interface LibbpfResult {
  readonly maps: readonly LibbpfMap[];
  /** Code by program name, as libbpf would give it to the kernel. */
  readonly programs: ReadonlyMap<string, Uint8Array>;
}

/** Links against the types in `target` (BTF, or an object with BTF); a string is why libbpf refuses. */
export function linkWithLibbpf(object: Uint8Array, target: Uint8Array): LibbpfResult | string {
  const scratch = mkdtempSync(join(tmpdir(), "libbpf-"));
  try {
    writeFileSync(join(scratch, `${LIBBPF_OBJECT}.o`), object);
    writeFileSync(join(scratch, "target"), target);
    const run = spawnSync(tool(), [`${LIBBPF_OBJECT}.o`, "target"], {
      cwd: scratch,
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    if (run.status === 1) return run.stderr;
    if (run.status !== 0) throw new Error(`libbpf_link failed: ${run.stderr} ${run.error ?? ""}`);
    return parse(run.stdout);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function parse(output: string): LibbpfResult {
  const maps: LibbpfMap[] = [];
  const programs = new Map<string, Uint8Array>();
  for (const line of output.trim().split("\n")) {
    const [what, name, ...rest] = line.split(" ") as [string, string, ...string[]];
    const bytes = new Uint8Array(Buffer.from(rest.at(-1)!.replace("-", ""), "hex"));
    if (what === "program") programs.set(name, bytes);
    const numbers = rest.slice(0, -1).map(Number);
    if (what === "map")
      maps.push({ name, handle: numbers[0]!, numbers: numbers.slice(1), initial: bytes });
  }
  return { maps, programs };
}

let built: string | undefined;

function tool(): string {
  if (built !== undefined) return built;
  const key = createHash("sha256").update(readFileSync(SOURCE)).digest("hex").slice(0, 16);
  const directory = join(ROOT, "build/test-objects");
  const path = join(directory, `libbpf_link-${key}`);
  if (!existsSync(path)) {
    mkdirSync(directory, { recursive: true });
    const output = `${path}.${process.pid}`;
    const flags = ["-O1", "-Wall", "-Wextra", "-Werror", SOURCE, "-lbpf", "-o", output];
    const compiler = spawnSync("cc", flags, { encoding: "utf8" });
    if (compiler.status !== 0) throw new Error(`cc failed: ${compiler.stderr} (needs libbpf-dev)`);
    renameSync(output, path);
  }
  built = path;
  return path;
}

/** A linked program with libbpf's map descriptors in the place of references. */
export function withHandles(
  program: LinkedProgram,
  maps: readonly ObjectMap[],
  libbpf: LibbpfResult,
): Uint8Array {
  const handles = new Map(maps.map(({ spec }, i) => [spec.name, libbpf.maps[i]!.handle] as const));
  const code = new Code(program.code.slice());
  for (const reference of program.references) {
    const { slot } = reference;
    if (reference.kind === "function") {
      code.setSource(slot, LDDW_SOURCE.FUNCTION);
      code.setImm(slot, reference.target - slot - 1);
      continue;
    }
    code.setImm(slot, handles.get(reference.map)!);
    code.setImm(slot + 1, reference.kind === "map_value" ? reference.offset : 0);
  }
  return code.bytes;
}
