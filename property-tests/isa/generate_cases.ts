/**
 * Writes the generated conformance cases to `cases/`. Deterministic: run it after changing anything
 * in `generate/`; a test compares its output with the files.
 *
 *   node property-tests/isa/generate_cases.ts
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { arithmeticCases } from "#property-tests/isa/generate/arithmetic.ts";
import { atomicCases } from "#property-tests/isa/generate/atomics.ts";
import { GENERATED, type GeneratedCase } from "#property-tests/isa/generate/case_text.ts";
import { jumpCases } from "#property-tests/isa/generate/jumps.ts";
import { memoryCases } from "#property-tests/isa/generate/memory.ts";
import { negativeCases } from "#property-tests/isa/generate/negative.ts";

export const CASES_FOLDER = fileURLToPath(new URL("./cases", import.meta.url));

/** Every generated case; names are unique. */
export function generateCases(): GeneratedCase[] {
  return [
    ...arithmeticCases(),
    ...jumpCases(),
    ...atomicCases(),
    ...memoryCases(),
    ...negativeCases(),
  ];
}

/** Paths below the folder of the files that an earlier run wrote. */
export function generatedFiles(): string[] {
  return readdirSync(CASES_FOLDER, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".data"))
    .filter((path) => readFileSync(join(CASES_FOLDER, path), "utf8").startsWith(GENERATED))
    .sort();
}

if (import.meta.main) {
  for (const path of generatedFiles()) rmSync(join(CASES_FOLDER, path));
  for (const { name, text } of generateCases()) {
    const path = join(CASES_FOLDER, `${name}.data`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
