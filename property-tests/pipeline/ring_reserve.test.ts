/** What is left of a ring to errors, on the simulated kernel; `test/kernel/ring_reserve.test.ts` has the real one. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { it } from "vitest";
import { createWasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { checkAsyncProperty } from "../property.ts";
import { checkRingReserve, reserveSteps } from "./ring_reserve.ts";

it("ordinary events leave the reserved part of a ring to errors", async () => {
  const runtime = await loadRuntimeModule();
  const kernelTypes = readFileSync("build/wasm/kernel_types.bpf.o");
  const property = fc.asyncProperty(reserveSteps, async (steps) => {
    const backend = await createWasmBackend({ runtime, kernelTypes, cpus: 1 });
    try {
      checkRingReserve(backend, backend.kernelBtf, steps);
    } finally {
      backend.close();
    }
  });
  await checkAsyncProperty("ring reserve", property);
});
