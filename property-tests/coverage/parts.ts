/** The folder that TAPIO_COVERAGE names: a part from every test file, and what they add up to. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Coverage } from "#wasm/coverage/coverage.ts";
import { formatLcov, parseLcov } from "#wasm/coverage/lcov.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

function folder(): string {
  return resolve(process.env["TAPIO_COVERAGE"]!);
}

const partsFolder = (): string => join(folder(), "parts");

/** Sources under `bpf/`, wherever the objects that include them were compiled. */
function bpfSource(path: string): string | undefined {
  const name = relative(ROOT, resolve(ROOT, path));
  return name.startsWith("bpf/") ? name : undefined;
}

/** Forgets what an earlier run left. */
export function clearParts(): void {
  rmSync(partsFolder(), { recursive: true, force: true });
  mkdirSync(partsFolder(), { recursive: true });
}

export function writePart(coverage: Coverage): void {
  const text = formatLcov(coverage.renamed(bpfSource));
  if (text !== "") writeFileSync(join(partsFolder(), `${randomUUID()}.info`), text);
}

/** Writes `lcov.info` and returns what it says. */
export function mergeParts(): { readonly path: string; readonly coverage: Coverage } {
  const coverage = new Coverage();
  for (const name of readdirSync(partsFolder())) {
    coverage.merge(parseLcov(readFileSync(join(partsFolder(), name), "utf8"), name));
  }
  rmSync(partsFolder(), { recursive: true });
  const path = join(folder(), "lcov.info");
  writeFileSync(path, formatLcov(coverage));
  return { path, coverage };
}
