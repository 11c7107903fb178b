/** The registry itself, the canary, and the replay line. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DIFFERENCES } from "./differences.ts";
import { checkProperty } from "./property.ts";
import { PROPERTIES } from "./registry.ts";
import { parametersOf, registered, replayLine, seedOf } from "./replay.ts";

describe("registry", () => {
  test("every property has one entry, a positive smoke budget and no smaller nightly one", () => {
    const names = PROPERTIES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { smokeRuns, nightlyRuns } of PROPERTIES) {
      expect(smokeRuns).toBeGreaterThan(0);
      expect(nightlyRuns).toBeGreaterThanOrEqual(smokeRuns);
    }
  });

  test("a property that is not registered cannot be checked", () => {
    const property = fc.property(fc.nat(), () => true);
    expect(() => checkProperty("no such property", property)).toThrow(/registry\.ts/);
  });

  test("every property of the registry is checked somewhere", () => {
    const folders = ["property-tests", "test", "vm-tests"].flatMap(sources);
    const text = folders.map(([, source]) => source);
    const all = text.join("\n");
    const unchecked = PROPERTIES.map(({ name }) => name).filter((name) => {
      // Names of a family are put together: `map operations: ${type}`.
      const family = `\`${name.slice(0, name.indexOf(":"))}: \${`;
      return !all.includes(`"${name}"`) && !(name.includes(":") && all.includes(family));
    });
    expect(unchecked).toEqual([]);
  });

  test("no test of this folder checks a property past the registry", () => {
    const past = sources("property-tests").filter(
      ([path, source]) => path.endsWith(".test.ts") && source.includes(`fc.${"assert"}(`),
    );
    expect(past.map(([path]) => path)).toEqual([]);
  });

  test("every allowed difference is used by name somewhere", () => {
    const folders = ["property-tests", "vm-tests/suites"];
    const all = folders.flatMap(sources).map(([, source]) => source);
    for (const name of Object.keys(DIFFERENCES)) {
      expect(all.join("\n")).toContain(`DIFFERENCES.${name}`);
    }
  });
});

describe("canary", () => {
  const numbersStaySmall = fc.property(fc.array(fc.nat()), (numbers) => {
    if (numbers.some((number) => number >= 1000)) throw new Error("a number is too large");
  });

  test("fails, shrinks to its simplest counterexample and says how to replay it", () => {
    const failure = caught(() => checkProperty("canary", numbersStaySmall));
    expect(failure).toContain('property "canary" failed');
    expect(failure).toContain("a number is too large");
    expect(failure).toContain("counterexample: [[1000]]");
    expect(failure.split("\n").at(-1)).toMatch(
      /^TAPIO_SEED=-?\d+ TAPIO_PATH=[\d:]+ npx vitest run property-tests\/registry\.test\.ts -t 'canary > fails, .*'$/,
    );
  });

  test("the replay line's seed and path fail at once with the same counterexample", () => {
    const first = fc.check(numbersStaySmall, { seed: 7 });
    const { counterexamplePath, seed } = first;
    const parameters = parametersOf(registered("canary"), { TAPIO_PATH: counterexamplePath! });
    const replayed = fc.check(numbersStaySmall, { ...(parameters as object), seed });
    expect(replayed.counterexample).toEqual(first.counterexample);
    expect(replayed.numRuns).toBe(1);
  });
});

describe("environment of a replay", () => {
  const property = registered("canary");

  test("TAPIO_RUNS replaces the budget, TAPIO_BUDGET chooses it", () => {
    const { smokeRuns, nightlyRuns } = property;
    expect(parametersOf(property, {}).numRuns).toBe(smokeRuns);
    expect(parametersOf(property, { TAPIO_BUDGET: "nightly" }).numRuns).toBe(nightlyRuns);
    expect(parametersOf(property, { TAPIO_BUDGET: "quick" }).numRuns).toBe(smokeRuns / 10);
    expect(parametersOf(property, { TAPIO_RUNS: "17" }).numRuns).toBe(17);
  });

  test("values that are no numbers or budgets are refused by name", () => {
    expect(() => seedOf({ TAPIO_SEED: "abc" })).toThrow(/TAPIO_SEED/);
    expect(() => parametersOf(property, { TAPIO_RUNS: "many" })).toThrow(/TAPIO_RUNS/);
    expect(() => parametersOf(property, { TAPIO_BUDGET: "weekly" })).toThrow(/TAPIO_BUDGET/);
  });

  test("a test name with quotes and brackets survives the shell and the pattern", () => {
    const line = replayLine(1, "0:1", "a.test.ts", "it's (new)");
    expect(line).toBe(
      `TAPIO_SEED=1 TAPIO_PATH=0:1 npx vitest run a.test.ts -t 'it'\\''s \\(new\\)'`,
    );
  });
});

/** TypeScript files under a folder, with their text, without the two tables that are checked here. */
function sources(folder: string): [path: string, text: string][] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !/(differences|registry)\.ts$/.test(path))
    .map((path) => [path, readFileSync(join(folder, path), "utf8")]);
}

function caught(action: () => void): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}
