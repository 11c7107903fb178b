/** What guests are made of: our init and the kernel process, static; Node with its libraries. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { rolldown } from "rolldown";
import { archive, compressed, type GuestFile, programWithLibraries } from "./initramfs.ts";
import { BUILD } from "./packages.ts";

const ROOT = join(import.meta.dirname, "../..");
const KERNEL_PROCESS = ["process", "maps", "programs", "rings", "bare", "files"].map(
  (part) => `vm-tests/guest/kernel_${part}.c`,
);
const BARE_PROGRAM = "property-tests/isa/bare_program.c";
const FLAGS = ["-static", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"];

/** Builds a static program from C sources under the repository's root; answers its path. */
export function buildStatic(
  name: string,
  sources: readonly string[],
  libraries: readonly string[] = [],
): string {
  const output = join(BUILD, "guest", name);
  const built = statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const paths = sources.map((source) => join(ROOT, source));
  const headers = [...new Set(paths.map(dirname))].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".h"))
      .map((name) => join(folder, name)),
  );
  if ([...paths, ...headers].every((path) => statSync(path).mtimeMs < built)) return output;
  mkdirSync(join(BUILD, "guest"), { recursive: true });
  const parameters = [...FLAGS, ...paths, ...libraries, "-o", output];
  const compiler = spawnSync("cc", parameters, { encoding: "utf8" });
  if (compiler.error !== undefined) {
    throw new Error("cc is missing; install a C compiler (gcc or clang)");
  }
  if (compiler.status === 0) return output;
  throw new Error(`cc ${sources[0]} failed:\n${compiler.stderr}`);
}

/** An initramfs with our init alone. */
export function initLayer(): Uint8Array {
  return archive([
    { path: "/init", content: readFileSync(buildStatic("init", ["vm-tests/guest/init.c"])) },
  ]);
}

/** An initramfs whose init can serve: maps, programs and rings of its kernel. */
export function serverLayer(): Uint8Array {
  const sources = [...KERNEL_PROCESS, BARE_PROGRAM];
  const program = buildStatic("kernel_process", sources, ["-lbpf", "-lelf", "-lz"]);
  const server = archive([{ path: "/bin/kernel_process", content: readFileSync(program) }]);
  return Buffer.concat([initLayer(), server]);
}

/** Node with its libraries as `/bin/node`, compressed once and kept. */
export function nodeLayer(): Uint8Array {
  const kept = join(BUILD, `node-${process.version}.cpio.zst`);
  if (existsSync(kept)) return readFileSync(kept);
  mkdirSync(BUILD, { recursive: true });
  const layer = compressed(archive(programWithLibraries(process.execPath, "/bin/node")));
  writeFileSync(kept, layer);
  return layer;
}

/** What the commands need besides their code. */
const PROJECT = ["package.json", "LICENSE", "build/bpf", "build/wasm"];
const ADDON = "build/kernel/tapio_bpf.node";
const KINDS = new Set([".json", ".o", ".wasm"]);

/** Where the command line and the script that records traffic stand in a guest. */
export const GUEST_CODE = {
  cli: "/tapio/dist/cli/main.js",
  recordTraffic: "/tapio/dist/cli/record_traffic.js",
} as const;

/**
 * The project below `/tapio`, with the addon's libraries. Each program is one file: Node takes four times
 * as long to load sources, of which there are a thousand with their packages.
 */
export async function projectLayer(): Promise<Uint8Array> {
  const artifacts = PROJECT.flatMap((path) => filesBelow(join(ROOT, path))).map((path) => ({
    path: `/tapio/${relative(ROOT, path)}`,
    content: readFileSync(path),
    mode: 0o644,
  }));
  const code = await Promise.all([
    bundled("cli/main.ts", GUEST_CODE.cli),
    bundled("vm-tests/guest/record_traffic.ts", GUEST_CODE.recordTraffic),
  ]);
  const addon = programWithLibraries(join(ROOT, ADDON), `/tapio/${ADDON}`);
  return compressed(archive([...artifacts, ...code, ...addon]));
}

async function bundled(source: string, path: string): Promise<GuestFile> {
  const input = join(ROOT, source);
  const bundle = await rolldown({ input, cwd: ROOT, platform: "node", logLevel: "silent" });
  const { output } = await bundle.generate({ format: "esm", codeSplitting: false });
  await bundle.close();
  return { path, content: Buffer.from(output[0].code), mode: 0o644 };
}

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && KINDS.has(extname(entry.name)))
    .map((entry) => join(entry.parentPath, entry.name));
}
