/**
 * The suites against the kernel backend: the addon, its error mapping, and the running kernel. Run with
 * TAPIO_NATIVE=1 (`npm run test:native`), as root.
 */

import { release } from "node:os";
import { test } from "vitest";
import { createKernelBackend } from "#kernel/backend.ts";
import { checkMachine } from "#kernel/probes.ts";
import { mapConformance } from "./maps.ts";
import { programConformance } from "./programs.ts";
import { ringConformance } from "./rings.ts";

function refusal(): string | undefined {
  if (process.env["TAPIO_NATIVE"] !== "1") return "TAPIO_NATIVE=1 is not set";
  const failed = checkMachine().find(({ ok }) => !ok);
  return failed === undefined ? undefined : `${failed.name}: ${failed.detail}`;
}

const problem = refusal();
if (problem === undefined) {
  const makeBackend = () => Promise.resolve(createKernelBackend());
  const options = {
    label: `the kernel backend on Linux ${release()}`,
    kernelVersion: release(),
  };
  mapConformance(makeBackend, options);
  programConformance(makeBackend, options);
  ringConformance(makeBackend, options);
} else {
  test.skip(`the kernel backend: ${problem}`);
}
