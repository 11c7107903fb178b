/** Filters on the simulated machine, both engines. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createWasmBackend } from "#wasm/backend.ts";
import { ENGINES } from "#wasm/engines/engines.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { checkPairs } from "./pairs.ts";

const machine = async (engine: string) =>
  createWasmBackend({
    runtime: await loadRuntimeModule(),
    kernelTypes: readFileSync("build/wasm/kernel_types.bpf.o"),
    engine,
  });

describe("filters", () => {
  for (const { name } of ENGINES) {
    test(`tables judge as the evaluator does: ${name}`, { timeout: 7_200_000 }, async () => {
      const backend = await machine(name);
      try {
        const { pairs, passed } = await checkPairs(`filter verdicts: ${name}`, backend, {
          events: 256,
        });
        console.log(JSON.stringify({ engine: name, pairs, passed }));
        // Neither verdict is the exception.
        expect(passed).toBeGreaterThan(pairs / 20);
        expect(passed).toBeLessThan(pairs * 0.95);
      } finally {
        backend.close();
      }
    });
  }
});
