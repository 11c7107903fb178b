/** Checks a registered property inside a vitest test; a failure ends in the line that replays it. */

import { relative } from "node:path";
import fc from "fast-check";
import { expect } from "vitest";
import { parametersOf, registered, replayLine } from "./replay.ts";

function parametersFor<T>(name: string, runs: number | undefined): fc.Parameters<T> {
  const parameters = parametersOf(registered(name), process.env) as fc.Parameters<T>;
  const fixed = process.env["TAPIO_RUNS"] === undefined ? runs : undefined;
  return fixed === undefined ? parameters : { ...parameters, numRuns: fixed };
}

/**
 * Runs the property with the budget of its registry entry (`runs` overrides it). Throws an error
 * that holds the shrunk counterexample, why it failed and how to replay it. Answers the number of runs.
 */
export function checkProperty<T>(
  name: string,
  property: fc.IRawProperty<T>,
  runs?: number,
): number {
  const details = fc.check(property, parametersFor<T>(name, runs)) as fc.RunDetails<T>;
  if (details.failed) throw new Error(describeFailure(name, details));
  return details.numRuns;
}

/** The same for a property that takes time. */
export async function checkAsyncProperty<T>(
  name: string,
  property: fc.IAsyncProperty<T>,
  runs?: number,
): Promise<number> {
  const details = (await fc.check(property, parametersFor<T>(name, runs))) as fc.RunDetails<T>;
  if (details.failed) throw new Error(describeFailure(name, details));
  return details.numRuns;
}

/** What failed, in the order a reader needs it. */
export function describeFailure<T>(name: string, details: fc.RunDetails<T>): string {
  const { testPath, currentTestName } = expect.getState();
  const file = testPath === undefined ? "" : relative(process.cwd(), testPath);
  const reason = details.errorInstance instanceof Error ? details.errorInstance.message : "";
  const path = details.counterexamplePath ?? "";
  return [
    `property "${name}" failed after ${details.numRuns} runs, ${details.numShrinks} times shrunk`,
    reason,
    `counterexample: ${fc.stringify(details.counterexample)}`,
    replayLine(details.seed, path, file, currentTestName ?? ""),
  ].join("\n");
}
