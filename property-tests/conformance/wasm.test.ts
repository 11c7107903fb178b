/** The suite against the simulated kernel. */

import { readFileSync } from "node:fs";
import { createWasmBackend } from "#wasm/backend.ts";
import { DEFAULT_MODE } from "#wasm/engines/engine.ts";
import { DEFAULT_ENGINE, ENGINES } from "#wasm/engines/engines.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { mapConformance } from "./maps.ts";
import { programConformance } from "./programs.ts";
import { ringConformance } from "./rings.ts";

/** The kernel whose semantics the runtime has. */
const KERNEL_VERSION = "6.18";

const machine =
  (cpus: number, engine: string, mode = DEFAULT_MODE) =>
  async () =>
    createWasmBackend({
      runtime: await loadRuntimeModule(),
      kernelTypes: readFileSync("build/wasm/kernel_types.bpf.o"),
      cpus,
      engine,
      mode,
    });

for (const cpus of [1, 4]) {
  const wasm = {
    label: `wasm with ${cpus} CPU${cpus === 1 ? "" : "s"}`,
    kernelVersion: KERNEL_VERSION,
  };
  // What system calls do has nothing to do with engines.
  mapConformance(machine(cpus, DEFAULT_ENGINE), wasm);
  for (const { name } of ENGINES) {
    const options = { ...wasm, label: `${wasm.label}, engine ${name}` };
    programConformance(machine(cpus, name), options);
    ringConformance(machine(cpus, name), options);
  }
}

const paranoid = {
  label: "wasm, paranoid",
  kernelVersion: KERNEL_VERSION,
  staleUsesFault: true,
};
programConformance(machine(2, DEFAULT_ENGINE, "paranoid"), paranoid);
ringConformance(machine(2, DEFAULT_ENGINE, "paranoid"), paranoid);
