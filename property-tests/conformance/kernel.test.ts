/**
 * The suite against the running kernel, which is the authority: a model that fails here
 * is wrong. Runs with TAPIO_NATIVE=1 (`npm run test:native:maps`), as root.
 */

import { release } from "node:os";
import { test } from "vitest";
import { refusalOfKernel } from "./kernel_process.ts";
import { mapConformance } from "./maps.ts";
import { programConformance } from "./programs.ts";
import { ringConformance } from "./rings.ts";
import { SyscallBackend } from "./syscall_backend.ts";

const refusal =
  process.env["TAPIO_NATIVE"] === "1" ? refusalOfKernel() : "TAPIO_NATIVE=1 is not set";

if (refusal === undefined) {
  const makeBackend = () => Promise.resolve(new SyscallBackend());
  const options = {
    label: `Linux ${release()}`,
    kernelVersion: release(),
    // The maps belong to another process.
    mapsMemory: false,
  };
  mapConformance(makeBackend, options);
  programConformance(makeBackend, options);
  ringConformance(makeBackend, options);
} else {
  test.skip(`maps of the running kernel: ${refusal}`);
}
