/** Where a property starts and how long it goes on: from the registry and the environment. */

import type { Parameters } from "fast-check";
import { PROPERTIES, type RegisteredProperty } from "./registry.ts";

export interface ReplayEnvironment {
  /** Seed of the random source; default one that setup draws and prints. */
  readonly TAPIO_SEED?: string | undefined;
  /** Path to a counterexample, as a failure printed it. */
  readonly TAPIO_PATH?: string | undefined;
  /** Runs of every property, instead of those of the registry. */
  readonly TAPIO_RUNS?: string | undefined;
  /** `quick` (a tenth of `smoke`), `smoke` (default) or `nightly`. */
  readonly TAPIO_BUDGET?: string | undefined;
}

export function registered(name: string): RegisteredProperty {
  const property = PROPERTIES.find((candidate) => candidate.name === name);
  if (property === undefined) {
    throw new Error(`property "${name}" is not registered; add it to property-tests/registry.ts`);
  }
  return property;
}

/** Parameters of one check. Throws on values of the environment that are not what they should be. */
export function parametersOf(
  property: RegisteredProperty,
  environment: ReplayEnvironment,
): Parameters<unknown> {
  const registeredRuns = runsOf(property, environment.TAPIO_BUDGET || "smoke");
  const path = environment.TAPIO_PATH;
  return {
    numRuns: integer("TAPIO_RUNS", environment.TAPIO_RUNS) ?? registeredRuns,
    ...(path === undefined || path === "" ? {} : { path, endOnFailure: true }),
  };
}

function runsOf({ smokeRuns, nightlyRuns }: RegisteredProperty, budget: string): number {
  if (budget === "quick") return Math.ceil(smokeRuns / 10);
  if (budget === "smoke") return smokeRuns;
  if (budget === "nightly") return nightlyRuns;
  throw new Error(`TAPIO_BUDGET is "${budget}"; use "quick", "smoke" or "nightly"`);
}

/** The seed to start from, or undefined where the environment names none. */
export function seedOf(environment: ReplayEnvironment): number | undefined {
  return integer("TAPIO_SEED", environment.TAPIO_SEED);
}

function integer(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`${name} is "${text}"; use an integer`);
  return value;
}

/** The one line that runs a failure again; `test` is the test's full name. */
export function replayLine(seed: number, path: string, file: string, test: string): string {
  const pattern = test.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const quoted = `'${pattern.replaceAll("'", "'\\''")}'`;
  return `TAPIO_SEED=${seed} TAPIO_PATH=${path} npx vitest run ${file} -t ${quoted}`;
}
