/**
 * The system tools that builds and tests need: installed through the system's package manager where we
 * are root, named in one line where we are not.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface Tool {
  readonly name: string;
  /** Debian package that brings it. */
  readonly package: string;
  readonly present: () => boolean;
  /** Nice to have: installed along, never a reason to stop. */
  readonly optional?: true;
}

export function findExecutable(name: string): string | undefined {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here; look in the next folder.
    }
  }
  return undefined;
}

const executable = (name: string) => () => findExecutable(name) !== undefined;

const optional = true;

/** What setup needs; the optional ones are the kernel backend's. */
export const BUILD_TOOLS: readonly Tool[] = [
  { name: "clang", package: "clang", present: executable("clang") },
  { name: "llvm-strip", package: "llvm", present: executable("llvm-strip") },
  { name: "emcc", package: "emscripten", present: executable("emcc") },
  { name: "pkg-config", package: "pkg-config", present: executable("pkg-config") },
  { name: "cargo", package: "cargo", present: executable("cargo") },
  {
    name: "libbpf headers",
    package: "libbpf-dev",
    present: () => existsSync("/usr/include/bpf/bpf_helpers.h"),
  },
  { name: "g++", package: "g++", present: executable("g++"), optional },
  {
    name: "libelf headers",
    package: "libelf-dev",
    present: () => existsSync("/usr/include/libelf.h"),
    optional,
  },
  {
    name: "zlib headers",
    package: "zlib1g-dev",
    present: () => existsSync("/usr/include/zlib.h"),
    optional,
  },
];

/** What tests put the project beside; each test that lacks its own is skipped and says so. */
export const TEST_TOOLS: readonly Tool[] = [
  { name: "chromium", package: "chromium", present: executable("chromium"), optional },
  { name: "promtool", package: "prometheus", present: executable("promtool"), optional },
  {
    name: "qemu-system-x86_64",
    package: "qemu-system-x86",
    present: executable("qemu-system-x86_64"),
    optional,
  },
];

function apt(...args: string[]): void {
  const result = spawnSync("apt-get", args, {
    stdio: ["ignore", 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (result.status !== 0) throw new Error(`apt-get ${args[0]} failed; see its output above`);
}

/** Installs Debian packages; only as root. Throws where apt-get fails. */
export function installPackages(packages: readonly string[]): void {
  console.error(`setup: installing ${packages.join(" ")}`);
  apt("update", "-q");
  apt("install", "-q", "-y", "--no-install-recommends", ...packages);
}

/** Installs those that are missing. Throws where one that is not optional cannot be had. */
export function installTools(tools: readonly Tool[]): void {
  const missing = tools.filter((tool) => !tool.present());
  if (missing.length === 0) return;
  const needed = missing.filter((tool) => tool.optional !== true);
  if (process.getuid?.() !== 0 || findExecutable("apt-get") === undefined) {
    if (needed.length > 0) throw cannotInstall(needed, missing);
    return;
  }
  try {
    installPackages(missing.map((tool) => tool.package));
  } catch {
    installOneByOne(missing);
  }
}

/** One package that does not exist keeps apt-get from all others. */
function installOneByOne(missing: readonly Tool[]): void {
  for (const tool of missing) {
    try {
      apt("install", "-q", "-y", "--no-install-recommends", tool.package);
    } catch (error) {
      if (tool.optional !== true) throw error;
      console.error(`setup: going on without ${tool.name}: ${(error as Error).message}`);
    }
  }
}

function cannotInstall(needed: readonly Tool[], missing: readonly Tool[]): Error {
  const names = needed.map((tool) => tool.name).join(", ");
  const packages = missing.map((tool) => tool.package).join(" ");
  return new Error(`missing: ${names}; install the packages ${packages} and try again`);
}
