/**
 * The suites against the kernel backend: the addon, its error mapping, and the running kernel, wherever
 * BPF can be used.
 */

import { readFileSync } from "node:fs";
import { release } from "node:os";
import { test } from "vitest";
import { parseBtf } from "#core/btf/parse.ts";
import { createKernelBackend } from "#kernel/backend.ts";
import { checkMachine, KERNEL_BTF } from "#kernel/probes.ts";
import { Kernel } from "#property-tests/isa/kernel.ts";
import { createWasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { differentialSuites, type Pair } from "./differential.ts";
import { mapConformance } from "./maps.ts";
import { programConformance } from "./programs.ts";
import { ringConformance } from "./rings.ts";

function refusal(): string | undefined {
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
  differentialSuites(makePair, { ...options, label: `Linux ${release()}` });
} else {
  test.skip(`the kernel backend: ${problem}`);
}

async function makePair(): Promise<Pair> {
  const backend = createKernelBackend();
  const bare = new Kernel();
  const simulated = await createWasmBackend({
    runtime: await loadRuntimeModule(),
    kernelTypes: readFileSync("build/wasm/kernel_types.bpf.o"),
    cpus: backend.cpus,
  });
  const real = {
    backend,
    btf: () => parseBtf(new Uint8Array(readFileSync(KERNEL_BTF))),
    runBare: (program: Uint8Array, memory: Uint8Array) => bare.run(program, memory),
    close: () => {
      bare.close();
      backend.close();
    },
  };
  return { real, simulated };
}
