/** Rules of the repository that no compiler checks. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const LINES_MAX = 420;
const IMPORT = /(?:from|import)\s*\(?\s*"([^"]+)"/g;

/** Files that git tracks or would track. */
function files(pattern: RegExp): string[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard"];
  const listed = execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).split("\n");
  return listed.filter((path) => pattern.test(path) && !path.startsWith("third_party/"));
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

function imports(path: string): string[] {
  return [...read(path).matchAll(IMPORT)].map((match) => match[1]!);
}

/** Top folder that an import leads to, or the package it names. */
function target(path: string, specifier: string): string {
  if (specifier.startsWith("#")) {
    const alias = specifier.slice(1).split("/")[0]!;
    return alias === "wasm" || alias === "kernel" ? "backends" : alias;
  }
  if (!specifier.startsWith(".")) return specifier;
  return join(dirname(path), specifier).split("/")[0]!;
}

describe("imports keep the layers apart", () => {
  it("core imports neither a Node built-in nor anything outside core but packages", () => {
    const wrong: string[] = [];
    for (const path of files(/^core\/.*\.ts$/)) {
      for (const specifier of imports(path)) {
        const to = target(path, specifier);
        const inside = to === "core" || !(specifier.startsWith(".") || specifier.startsWith("#"));
        if (!inside || isBuiltin(specifier)) wrong.push(`${path}: ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("backends import core and themselves, no command", () => {
    const wrong: string[] = [];
    for (const path of files(/^backends\/.*\.ts$/)) {
      for (const specifier of imports(path)) {
        const to = target(path, specifier);
        if (["cli", "lab", "bench", "property-tests", "vm-tests", "test"].includes(to)) {
          wrong.push(`${path}: ${specifier}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("the lab", () => {
  it("reads no file and no clock: a Node built-in stands in one file only, for threads", () => {
    const used = files(/^lab\/.*\.ts$/).flatMap((path) =>
      imports(path)
        .filter((specifier) => isBuiltin(specifier))
        .map((specifier) => `${path}: ${specifier}`),
    );
    expect(used).toEqual(["lab/run_in_workers.ts: node:worker_threads"]);
  });
});

describe("files", () => {
  it(`are at most ${LINES_MAX} lines long`, () => {
    const long = files(/\.(ts|mjs|c|h)$/).filter(
      (path) => read(path).split("\n").length > LINES_MAX,
    );
    expect(long).toEqual([]);
  });

  it("leave nothing unfinished: no skipped or focused test, no stub", () => {
    const unfinished =
      /\b(?:it|test|describe)\.(?:only|todo)\b|\bnot implemented\b|\bunimplemented\b/i;
    const found = files(/\.(ts|c|h)$/).filter(
      (path) => !path.endsWith("tidy.test.ts") && unfinished.test(read(path)),
    );
    expect(found).toEqual([]);
  });

  it("keep registry addresses out of the lock file", () => {
    expect(read("package-lock.json")).not.toMatch(/"resolved": "https?:/);
  });
});
