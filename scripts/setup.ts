/**
 * Makes a fresh clone ready: tools, third-party sources, BPF objects, wasm runtime. Idempotent, and
 * quick when there is nothing to do. Everything it says goes to standard error.
 */
import { buildBpf } from "./build_bpf.ts";
import { buildRuntime } from "./build_runtime.ts";
import { fetchThirdParty } from "./fetch_third_party.ts";
import { installTools } from "./install_tools.ts";

export async function setup(): Promise<void> {
  await installTools();
  fetchThirdParty();
  await buildBpf();
  await buildRuntime();
}
