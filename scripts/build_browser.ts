/**
 * Bundles the browser example to `build/browser/`, and says how large what a page needs is: the
 * runtime, and the JavaScript with the loader and the compiler, minified, each compressed by gzip.
 */
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUTPUT = join(ROOT, "build/browser");
const ARTIFACTS = [
  "wasm/runtime.wasm",
  "wasm/kernel_types.bpf.o",
  "bpf/tcp_monitor.bpf.o",
  "bpf/syscall_monitor.bpf.o",
];

export interface BrowserSizes {
  readonly javascript_gzip_bytes: number;
  readonly runtime_gzip_bytes: number;
}

function gzipBytes(path: string): number {
  return gzipSync(readFileSync(path), { level: 9 }).length;
}

export async function buildBrowser(): Promise<BrowserSizes> {
  mkdirSync(OUTPUT, { recursive: true });
  const bundle = await rolldown({
    input: join(ROOT, "examples/browser/main.ts"),
    platform: "browser",
    logLevel: "silent",
  });
  await bundle.write({ file: join(OUTPUT, "main.js"), format: "esm", minify: true });
  await bundle.close();
  cpSync(join(ROOT, "examples/browser/index.html"), join(OUTPUT, "index.html"));
  for (const path of ARTIFACTS) {
    cpSync(join(ROOT, "build", path), join(OUTPUT, path.split("/")[1]!));
  }
  return {
    javascript_gzip_bytes: gzipBytes(join(OUTPUT, "main.js")),
    runtime_gzip_bytes: gzipBytes(join(OUTPUT, "runtime.wasm")),
  };
}

if (import.meta.main) console.log(JSON.stringify(await buildBrowser()));
