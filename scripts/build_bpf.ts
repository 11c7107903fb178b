/** Compiles every `bpf/*.bpf.c` to `build/bpf/*.bpf.o`, the lab's object, and the simulated kernel's types to BTF. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { upToDate } from "./up_to_date.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Paths in messages and coverage are those of the repository, whoever builds. */
const FLAGS = [
  ...["-target", "bpfel", "-mcpu=v3", "-g", "-O2", "-Wall", "-Wextra", "-Werror"],
  `-ffile-prefix-map=${ROOT.replace(/\/$/, "")}=`,
];

/** Compiles one object; `flags` come last. Paths are relative to the repository's root. */
export function compileObject(source: string, output: string, flags: readonly string[] = []): void {
  const clang = spawnSync(
    "clang",
    [...FLAGS, "-Wno-unused-parameter", ...flags, "-c", source, "-o", output],
    {
      cwd: ROOT,
      encoding: "utf8",
    },
  );
  if (clang.status !== 0) throw new Error(`clang ${source} failed:\n${clang.stderr}`);
  // DWARF is of no use to a loader; BTF stays.
  const strip = spawnSync("llvm-strip", ["-g", output], { cwd: ROOT, encoding: "utf8" });
  if (strip.status !== 0) throw new Error(`llvm-strip ${output} failed: ${strip.stderr}`);
}

export async function buildBpf(): Promise<void> {
  const sources = readdirSync(join(ROOT, "bpf")).filter((name) => name.endsWith(".bpf.c"));
  const headers = readdirSync(join(ROOT, "bpf/include")).map((name) => `bpf/include/${name}`);
  const kernelTypes = "backends/wasm/world/kernel_types.c";
  const jobs = [
    ...sources.map((name) => [`bpf/${name}`, `build/bpf/${basename(name, ".c")}.o`] as const),
    ["lab/decisions/decide_batch.bpf.c", "build/lab/decide_batch.bpf.o"] as const,
    [kernelTypes, "build/wasm/kernel_types.bpf.o"] as const,
  ];
  const inputs = [...jobs.map(([source]) => source), ...headers, "scripts/build_bpf.ts"];
  const outputs = jobs.map(([, output]) => output);
  await upToDate(ROOT, "bpf", inputs, outputs, () => {
    for (const [, output] of jobs) mkdirSync(dirname(join(ROOT, output)), { recursive: true });
    console.error(`setup: compiling ${jobs.length} BPF objects`);
    for (const [source, output] of jobs) compileObject(source, output);
  });
}
