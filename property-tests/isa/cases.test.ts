import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CASES_FOLDER, generateCases, generatedFiles } from "#property-tests/isa/generate_cases.ts";

describe("generated cases", () => {
  it("are what generate_cases.ts writes, and no other file claims to be", () => {
    const generated = generateCases();
    expect(new Set(generated.map(({ name }) => name)).size).toBe(generated.length);
    expect(generatedFiles()).toEqual(generated.map(({ name }) => `${name}.data`).sort());
    for (const { name, text } of generated) {
      expect(readFileSync(join(CASES_FOLDER, `${name}.data`), "utf8")).toBe(text);
    }
  });
});
