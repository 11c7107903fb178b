/**
 * Compiles the kernel backend's addon to `build/kernel/tapio_bpf.node`: on Linux, where a C++ compiler
 * and libbpf are. Anywhere else it says so in one line, and the wasm backend works as ever.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findExecutable } from "./install_tools.ts";
import { upToDate } from "./up_to_date.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCES = "backends/kernel/src";
const SUBMODULE = "third_party/libbpf";
const HEADERS = ["node_modules/node-addon-api", "node_modules/node-api-headers/include"];

const FLAGS = ["-std=c++17", "-fPIC", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"];
const DEFINES = ["-DNAPI_VERSION=9", "-DNODE_ADDON_API_CPP_EXCEPTIONS"];

export interface AddonBuild {
  readonly output: string;
  /** Added to compiling and linking, as `-fsanitize=address`. */
  readonly flags: readonly string[];
}

export const RELEASE: AddonBuild = { output: "build/kernel/tapio_bpf.node", flags: ["-O2"] };
export const SANITIZED: AddonBuild = {
  output: "build/kernel-asan/tapio_bpf.node",
  flags: ["-O1", "-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer"],
};

/** With line numbers, for valgrind to name. */
export const CHECKED: AddonBuild = {
  output: "build/kernel-memcheck/tapio_bpf.node",
  flags: ["-O1", "-g"],
};

interface Library {
  readonly compile: readonly string[];
  readonly link: readonly string[];
  /** Part of the state that a build depends on. */
  readonly version: string;
}

function pkgConfig(...args: string[]): string | undefined {
  const result = spawnSync("pkg-config", args, { encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

const haveSubmodule = (): boolean => existsSync(join(ROOT, SUBMODULE, "src/libbpf.c"));
const haveSystemLibrary = (): boolean => pkgConfig("--atleast-version=1.0", "libbpf") !== undefined;

/** libbpf of the submodule, statically, where its sources are; else the system's. */
function buildLibrary(): Library {
  if (haveSubmodule()) return submoduleLibrary();
  const words = (text: string | undefined): string[] => (text ?? "").split(/\s+/).filter(Boolean);
  return {
    compile: words(pkgConfig("--cflags", "libbpf")),
    link: words(pkgConfig("--libs", "libbpf")),
    version: pkgConfig("--modversion", "libbpf")!,
  };
}

function submoduleLibrary(): Library {
  const output = join(ROOT, "build/libbpf");
  const jobs = `-j${availableParallelism()}`;
  const make = spawnSync(
    "make",
    [jobs, "-C", join(ROOT, SUBMODULE, "src"), `OBJDIR=${output}`, `DESTDIR=${output}/root`]
      .concat(["PREFIX=/usr", "LIBDIR=/usr/lib", "BUILD_STATIC_ONLY=1", "EXTRA_CFLAGS=-fPIC"])
      .concat(["install", "install_uapi_headers"]),
    { encoding: "utf8" },
  );
  if (make.status !== 0) {
    const said = make.error?.message ?? make.stderr;
    throw new Error(`make of ${SUBMODULE} failed; it needs make, gcc and libelf-dev:\n${said}`);
  }
  const archive = `${output}/root/usr/lib/libbpf.a`;
  return {
    // Their macros do not pass our warnings.
    compile: [`-isystem${output}/root/usr/include`],
    // Another addon of the process may bring another libbpf: keep ours to ourselves.
    link: [archive, "-Wl,--exclude-libs,ALL", "-lelf", "-lz"],
    version: `submodule ${createHash("sha256").update(readFileSync(archive)).digest("hex")}`,
  };
}

/** Why the addon cannot be built here, in one line; undefined where it can. */
export function addonObstacle(): string | undefined {
  if (process.platform !== "linux") return "the kernel backend needs Linux";
  if (findExecutable("g++") === undefined) return "no g++; install the package g++";
  if (!haveSubmodule() && !haveSystemLibrary()) {
    return "no libbpf; install the packages libbpf-dev libelf-dev";
  }
  const missing = HEADERS.find((folder) => !existsSync(join(ROOT, folder)));
  return missing === undefined ? undefined : `no ${missing}; run npm ci`;
}

function compiler(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("g++", args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) resolve();
      else reject(new Error(`g++ ${args.at(-1)} failed:\n${output}`));
    });
  });
}

async function compileAll(build: AddonBuild, library: Library, sources: string[]): Promise<void> {
  const folder = join(build.output, "../objects");
  mkdirSync(join(ROOT, folder), { recursive: true });
  const object = (source: string): string => join(folder, `${basename(source, ".cc")}.o`);
  const includes = HEADERS.map((path) => `-isystem${path}`);
  const common = [...FLAGS, ...build.flags, ...DEFINES, ...includes, ...library.compile];
  const waiting = [...sources];
  const worker = async (): Promise<void> => {
    for (let source = waiting.pop(); source !== undefined; source = waiting.pop()) {
      await compiler([...common, "-o", object(source), "-c", source]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const link = ["-shared", ...build.flags, "-o", build.output, ...sources.map(object)];
  await compiler([...link, ...library.link, "-pthread"]);
}

/** Builds unless it is up to date. Returns false where this machine cannot. */
export async function buildAddon(build: AddonBuild = RELEASE): Promise<boolean> {
  const obstacle = addonObstacle();
  if (obstacle !== undefined) {
    console.error(`setup: leaving out the kernel backend: ${obstacle}`);
    return false;
  }
  const library = buildLibrary();
  const files = readdirSync(join(ROOT, SOURCES)).sort();
  const sources = files.filter((name) => name.endsWith(".cc")).map((name) => join(SOURCES, name));
  // The library's version is an input of the build; a file makes it one for `upToDate`.
  const stamp = "build/kernel/libbpf_version";
  mkdirSync(join(ROOT, "build/kernel"), { recursive: true });
  writeFileSync(join(ROOT, stamp), `${library.version}\n`);
  const inputs = [...files.map((name) => join(SOURCES, name)), "scripts/build_addon.ts", stamp];
  const name = basename(join(build.output, ".."));
  await upToDate(ROOT, name, inputs, [build.output], async () => {
    console.error(`setup: compiling the kernel backend's addon (${sources.length} files)`);
    await compileAll(build, library, sources);
  });
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const built = await buildAddon(process.argv.includes("--sanitize") ? SANITIZED : RELEASE);
  process.exitCode = built ? 0 : 1;
}
