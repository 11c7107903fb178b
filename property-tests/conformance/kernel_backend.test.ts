/**
 * The suite against the kernel backend: the addon, its error mapping, and the running kernel. Runs with
 * TAPIO_NATIVE=1 (`npm run test:native`), as root.
 */

import { release } from "node:os";
import { test } from "vitest";
import { createKernelBackend } from "#kernel/backend.ts";
import { checkMachine } from "#kernel/probes.ts";
import { mapConformance } from "./maps.ts";

function refusal(): string | undefined {
  if (process.env["TAPIO_NATIVE"] !== "1") return "TAPIO_NATIVE=1 is not set";
  const failed = checkMachine().find(({ ok }) => !ok);
  return failed === undefined ? undefined : `${failed.name}: ${failed.detail}`;
}

const problem = refusal();
if (problem === undefined) {
  mapConformance(() => Promise.resolve(createKernelBackend()), {
    label: `the kernel backend on Linux ${release()}`,
    kernelVersion: release(),
  });
} else {
  test.skip(`maps of the kernel backend: ${problem}`);
}
