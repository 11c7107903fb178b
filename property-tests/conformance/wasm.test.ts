/** The suite against the maps of the simulated kernel. */

import type { MapSpec } from "#core/backend.ts";
import { MODELLED_TYPES } from "#property-tests/models/map_models.ts";
import type { MapBackend } from "#property-tests/models/model_backend.ts";
import { RuntimeInstance } from "#wasm/instance.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { WasmMap } from "#wasm/map.ts";
import { mapConformance } from "./maps.ts";

async function makeBackend(): Promise<MapBackend> {
  const instance = await RuntimeInstance.create({ wasm: await loadRuntimeModule(), cpus: 4 });
  return {
    cpus: instance.cpus,
    createMap: (spec: MapSpec) => new WasmMap(instance, spec),
    close: () => {},
  };
}

mapConformance(makeBackend, {
  label: "the wasm runtime",
  kernelVersion: "6.18",
  types: MODELLED_TYPES.filter((type) => type !== "ringbuf"),
});
