/**
 * All suites on one guest. TAPIO_VM_KERNEL names it; TAPIO_VM_RUNS overrides every property's runs,
 * TAPIO_VM_SEQUENCES those of the differential suites.
 */

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { differentialSuites } from "#property-tests/conformance/differential.ts";
import { mapConformance } from "#property-tests/conformance/maps.ts";
import { programConformance } from "#property-tests/conformance/programs.ts";
import { ringConformance } from "#property-tests/conformance/rings.ts";
import { GuestKernel } from "#vm-tests/harness/guest_kernel.ts";
import { serverLayer } from "#vm-tests/harness/guest_layers.ts";
import { kernelNamed } from "#vm-tests/harness/kernels.ts";
import { fetchImage } from "#vm-tests/harness/packages.ts";
import { type ServingGuest, startServing } from "#vm-tests/harness/qemu.ts";
import { GuestBackend } from "#vm-tests/kernel/guest_backend.ts";
import { GuestMachine } from "#vm-tests/kernel/guest_machine.ts";
import { createWasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { filterSuite } from "./filters.ts";
import { hookSuite } from "./hooks.ts";
import { objectSuite } from "./objects.ts";

const kernel = kernelNamed(process.env["TAPIO_VM_KERNEL"] ?? "6.12");
const runs = Number(process.env["TAPIO_VM_RUNS"] ?? 0);
const sequences = Number(process.env["TAPIO_VM_SEQUENCES"] ?? runs);
const deadline_s = Number(process.env["TAPIO_VM_DEADLINE_S"] ?? 3600);

let guest: ServingGuest;
let server: GuestKernel;
const compared: Record<string, number> = {};

beforeAll(async () => {
  const initramfs = serverLayer();
  const image = fetchImage(kernel);
  guest = await startServing({ image, initramfs, name: kernel.name, deadline_s });
  server = new GuestKernel(guest);
});

afterAll(async () => {
  // Throws where the kernel complained, or the guest did not end by its own word.
  await server.end();
  const { release, cpus, boot_ms } = guest;
  const summary = { kernel: kernel.name, release, cpus, boot_ms: Math.round(boot_ms) };
  console.log(JSON.stringify({ ...summary, requests: server.requests, compared }));
});

describe(`Linux ${kernel.version}`, () => {
  const makeBackend = () => Promise.resolve(new GuestBackend(server, guest.cpus));
  const options = {
    label: `Linux ${kernel.version}`,
    kernelVersion: kernel.version,
    // The maps belong to another machine.
    mapsMemory: false,
    ...(runs > 0 ? { runs } : {}),
  };

  test("is the kernel that is pinned", () => {
    expect(guest.release.startsWith(kernel.name)).toBe(true);
  });

  objectSuite(() => new GuestBackend(server, guest.cpus));
  hookSuite(() => new GuestBackend(server, guest.cpus));
  filterSuite(() => new GuestBackend(server, guest.cpus), runs);
  mapConformance(makeBackend, options);
  programConformance(makeBackend, options);
  ringConformance(makeBackend, options);
  const makePair = async () => ({
    real: new GuestMachine(server, guest.cpus),
    simulated: await simulated(guest.cpus),
  });
  differentialSuites(makePair, {
    ...options,
    ...(sequences > 0 ? { runs: sequences } : {}),
    compared: (what, inputs) => {
      compared[what] = inputs;
    },
  });
});

async function simulated(cpus: number) {
  return createWasmBackend({
    runtime: await loadRuntimeModule(),
    kernelTypes: readFileSync("build/wasm/kernel_types.bpf.o"),
    cpus,
  });
}
