/** The suite against the simulated kernel. */

import { readFileSync } from "node:fs";
import { createWasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { mapConformance } from "./maps.ts";
import { programConformance } from "./programs.ts";
import { ringConformance } from "./rings.ts";

/** The kernel whose semantics the runtime has. */
const KERNEL_VERSION = "6.18";

for (const cpus of [1, 4]) {
  const makeBackend = async () =>
    createWasmBackend({
      runtime: await loadRuntimeModule(),
      kernelTypes: readFileSync("build/wasm/kernel_types.bpf.o"),
      cpus,
    });
  const options = {
    label: `wasm with ${cpus} CPU${cpus === 1 ? "" : "s"}`,
    kernelVersion: KERNEL_VERSION,
  };
  mapConformance(makeBackend, options);
  programConformance(makeBackend, options);
  ringConformance(makeBackend, options);
}
