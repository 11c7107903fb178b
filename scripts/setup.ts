/**
 * Makes a fresh clone ready: tools, third-party sources, BPF objects, the wasm runtime and, where the
 * machine has what it takes, the kernel backend's addon. Idempotent, and quick when there is nothing
 * to do. Everything it says goes to standard error.
 */
import { buildAddon } from "./build_addon.ts";
import { buildBpf } from "./build_bpf.ts";
import { buildRuntime } from "./build_runtime.ts";
import { fetchThirdParty } from "./fetch_third_party.ts";
import { BUILD_TOOLS, installTools } from "./install_tools.ts";

export async function setup(): Promise<void> {
  installTools(BUILD_TOOLS);
  fetchThirdParty();
  await buildBpf();
  await buildRuntime();
  await buildAddon();
}
