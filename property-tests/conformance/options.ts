/** What the suites need to know about the backend they are given. */

import type { ModelledType } from "#property-tests/models/map_models.ts";

export interface ConformanceOptions {
  /** Name of the backend in test names. */
  readonly label: string;
  /** Kernel whose behaviour the backend shows (`"6.18"`; `uname -r` of a real one). */
  readonly kernelVersion: string;
  /** Whether programs fault that use an element which they deleted or replaced; default false. */
  readonly staleUsesFault?: boolean;
  /** Runs of every property, instead of the registry's budget. */
  readonly runs?: number;
}

export interface MapConformanceOptions extends ConformanceOptions {
  /** Whether `BpfMap.memory` is offered; default true. */
  readonly mapsMemory?: boolean;
  /** Types that the backend has; default all. */
  readonly types?: readonly ModelledType[];
}

const NIGHT_MS = 4 * 3_600_000;

/** Time limits of a suite's tests: vitest's own at a commit, hours with the nightly budget. */
export function timeLimits(): { timeout?: number } {
  const patient = process.env["TAPIO_BUDGET"] === "nightly" || process.env["TAPIO_RUNS"];
  return patient ? { timeout: NIGHT_MS } : {};
}
