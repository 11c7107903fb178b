/** Compiles BPF C for tests. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CACHE = join(ROOT, "build/test-objects");
/** Where Debian keeps `asm/types.h`. */
const MULTIARCH = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
const DEFAULT_FLAGS = ["-target", "bpfel", "-g", "-O2", "-mcpu=v3", `-I/usr/include/${MULTIARCH}`];

/**
 * Compiles C to a BPF object. `source` is a path (of the working directory or absolute) or, when it
 * holds a line break, the C text itself. `flags` follow the default ones (`-g -O2 -mcpu=v3`), so they win.
 * Objects are cached under `build/` by source, flags and the headers that were included. Throws
 * with the compiler's output where it fails.
 */
export function compileBpf(source: string, flags: readonly string[] = []): Uint8Array {
  const inline = source.includes("\n");
  const path = inline ? "" : resolve(source);
  const text = inline ? source : readFileSync(path, "utf8");
  const hash = createHash("sha256");
  hash.update(JSON.stringify([path, text, flags, DEFAULT_FLAGS]));
  const key = hash.digest("hex").slice(0, 32);
  const object = join(CACHE, `${key}.o`);
  const headers = join(CACHE, `${key}.json`);
  if (existsSync(object) && existsSync(headers) && upToDate(headers)) return read(object);
  compile(text, path, flags, object, headers);
  return read(object);
}

/** A plain `Uint8Array`, whose `slice` copies. */
function read(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** The same without the cache, for sources that nobody will compile again. */
export function compileBpfOnce(text: string, flags: readonly string[] = []): Uint8Array {
  mkdirSync(CACHE, { recursive: true });
  const scratch = mkdtempSync(join(CACHE, "once-"));
  try {
    const object = join(scratch, "once.o");
    compile(text, "", flags, object, join(scratch, "once.json"));
    return read(object);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function compile(
  text: string,
  path: string,
  flags: readonly string[],
  object: string,
  headers: string,
): void {
  mkdirSync(CACHE, { recursive: true });
  const scratch = mkdtempSync(join(CACHE, "scratch-"));
  try {
    const input = path === "" ? join(scratch, "inline.bpf.c") : path;
    if (path === "") writeFileSync(input, text);
    const output = join(scratch, "object.o");
    const dependencies = join(scratch, "object.d");
    const include = path === "" ? [] : [`-I${dirname(path)}`];
    const clang = spawnSync(
      "clang",
      [
        ...DEFAULT_FLAGS,
        ...include,
        ...flags,
        "-MD",
        "-MF",
        dependencies,
        "-c",
        input,
        "-o",
        output,
      ],
      { cwd: ROOT, encoding: "utf8" },
    );
    if (clang.error !== undefined) throw new Error("clang is missing; run npm run setup");
    if (clang.status !== 0) throw new Error(`clang failed:\n${clang.stderr}`);
    const included = parseDependencies(readFileSync(dependencies, "utf8"), scratch);
    writeFileSync(join(scratch, "headers.json"), JSON.stringify(included));
    // Renamed into place, because tests of several processes may compile the same source.
    renameSync(output, object);
    renameSync(join(scratch, "headers.json"), headers);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Included files with their time stamps, from a makefile rule. */
function parseDependencies(rule: string, scratch: string): [string, number][] {
  const paths = rule
    .slice(rule.indexOf(":") + 1)
    .replaceAll("\\\n", " ")
    .split(/\s+/)
    .filter((path) => path !== "" && !path.startsWith(scratch));
  return paths.map((path) => [resolve(ROOT, path), statSync(resolve(ROOT, path)).mtimeMs]);
}

function upToDate(headers: string): boolean {
  const included = JSON.parse(readFileSync(headers, "utf8")) as [string, number][];
  return included.every(
    ([path, mtime_ms]) => statSync(path, { throwIfNoEntry: false })?.mtimeMs === mtime_ms,
  );
}
