/** Compiles the wasm backend's C and uBPF's interpreter to `build/wasm/runtime.wasm`. */
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { upToDate } from "./up_to_date.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUTPUT = "build/wasm/runtime.wasm";
const OBJECTS = "build/wasm/objects";

const RUNTIME = "backends/wasm/runtime";
const UBPF_GLUE = "backends/wasm/engines/ubpf";
const AOT_GLUE = "backends/wasm/engines/aot";
const UBPF = "third_party/ubpf/vm";

// Without -mbulk-memory memset and memcpy are loops.
const FLAGS = ["-O3", "-std=gnu11", "-mbulk-memory", "-msign-ext", `-I${RUNTIME}`];
const STRICT = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"];
/*
 * uBPF as it is: the interpreter only. On a CPU without a JIT its source still uses the name that the
 * member `jit_translate` had before it was renamed. Eight calls, because the image's prologue calls
 * the entry function (engines/ubpf/ubpf_lowering.ts).
 */
const UBPF_FLAGS = ["-w", "-Dtranslate=jit_translate", "-DUBPF_MAX_CALL_DEPTH=8"];
const UBPF_INCLUDES = [`-I${UBPF_GLUE}`, `-I${UBPF}`, `-I${UBPF}/inc`];

const LINK = [
  "-O3",
  "--no-entry",
  "-sSTANDALONE_WASM",
  // The library's malloc would take memory from under memory.c, which serves the malloc family.
  "-sMALLOC=none",
  "-sTOTAL_STACK=1MB",
  "-sINITIAL_MEMORY=2MB",
  // rt_init grows the memory once; a compiled program adds its function to the table.
  "-sALLOW_MEMORY_GROWTH",
  "-sMAXIMUM_MEMORY=2GB",
  "-sALLOW_TABLE_GROWTH",
  // The C compiler's import_module attribute is unknown to this check; `checkImports` replaces it.
  "-sERROR_ON_UNDEFINED_SYMBOLS=0",
  "-sWARN_ON_UNDEFINED_SYMBOLS=0",
];
const IMPORT_MODULES = ["host", "wasi_snapshot_preview1"];

interface Job {
  readonly source: string;
  readonly object: string;
  readonly args: readonly string[];
}

function list(folder: string, suffix: string): string[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(suffix))
    .sort()
    .map((name) => `${folder}/${name}`);
}

function emcc(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("emcc", args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) resolve();
      else reject(new Error(`emcc ${args.at(-1)} failed:\n${output}`));
    });
  });
}

async function compile(jobs: readonly Job[]): Promise<void> {
  const waiting = [...jobs];
  const worker = async (): Promise<void> => {
    for (let job = waiting.pop(); job !== undefined; job = waiting.pop()) {
      await emcc([...FLAGS, ...job.args, "-o", job.object, "-c", job.source]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

function planJobs(): Job[] {
  const job = (source: string, args: readonly string[]): Job => ({
    source,
    object: `${OBJECTS}/${basename(source, ".c")}.o`,
    args,
  });
  return [
    ...list(RUNTIME, ".c").map((source) => job(source, STRICT)),
    ...list(UBPF_GLUE, ".c").map((source) => job(source, [...STRICT, ...UBPF_INCLUDES])),
    ...list(AOT_GLUE, ".c").map((source) => job(source, STRICT)),
    job(`${UBPF}/ubpf_vm.c`, [...UBPF_FLAGS, ...UBPF_INCLUDES]),
    job(`${UBPF}/ubpf_instruction_valid.c`, [...UBPF_FLAGS, ...UBPF_INCLUDES]),
  ];
}

/** A function that no source defines ends up as an import from `env`. */
function checkImports(): void {
  const module = new WebAssembly.Module(readFileSync(join(ROOT, OUTPUT)));
  const undefinedNames = WebAssembly.Module.imports(module)
    .filter((entry) => !IMPORT_MODULES.includes(entry.module))
    .map((entry) => `${entry.module}.${entry.name}`);
  if (undefinedNames.length === 0) return;
  rmSync(join(ROOT, OUTPUT));
  throw new Error(`runtime.wasm needs functions that no source defines: ${undefinedNames}`);
}

export async function buildRuntime(): Promise<void> {
  const jobs = planJobs();
  const headers = [RUNTIME, UBPF_GLUE, UBPF, `${UBPF}/inc`].flatMap((f) => list(f, ".h"));
  const inputs = [...jobs.map((job) => job.source), ...headers, "scripts/build_runtime.ts"];
  await upToDate(ROOT, "runtime", inputs, [OUTPUT], async () => {
    console.error(`setup: compiling the wasm runtime (${jobs.length} files)`);
    mkdirSync(join(ROOT, OBJECTS), { recursive: true });
    await compile(jobs);
    await emcc([...LINK, "-o", OUTPUT, ...jobs.map((job) => job.object)]);
    checkImports();
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildRuntime();
