/** Reads and compiles `runtime.wasm` in Node, once a process. */
import { readFile } from "node:fs/promises";
import { BpfError } from "#core/errors.ts";

let compiled: Promise<WebAssembly.Module> | undefined;

// From sources the build folder lies beside `backends/`; in the package, beside `dist/`.
const PLACES = ["../../build/wasm/runtime.wasm", "../../../build/wasm/runtime.wasm"];

async function compile(): Promise<WebAssembly.Module> {
  for (const place of PLACES) {
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = new Uint8Array(await readFile(new URL(place, import.meta.url)));
    } catch {
      continue;
    }
    return WebAssembly.compile(bytes);
  }
  throw new BpfError("load runtime.wasm", "it has not been built", { hint: "run npm run setup" });
}

export function loadRuntimeModule(): Promise<WebAssembly.Module> {
  compiled ??= compile();
  return compiled;
}
