import { describe, expect, it } from "vitest";
import { readCases } from "#property-tests/isa/case_file.ts";
import { EXECUTORS } from "#property-tests/isa/executors.ts";
import { CASES_FOLDER } from "#property-tests/isa/generate_cases.ts";

const cases = readCases(CASES_FOLDER);

describe.each(EXECUTORS)("instruction set on $name", (engine) => {
  it.each(cases)("$name", async ({ program, memory, expected }) => {
    const run = engine.run(program, memory);
    if ("error" in expected) await expect(run).rejects.toThrow();
    else expect(await run).toBe(expected.r0);
  });
});
