/**
 * Fills `third_party/`: from upstream through git where that is reachable, else uBPF from the package
 * registry (the same commit) and libbpf from the distribution. Does nothing when both are there.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const UBPF = "third_party/ubpf";
const LIBBPF = "third_party/libbpf";
/** Says that the system's libbpf was chosen. */
const LIBBPF_MARKER = join(ROOT, "build/state/libbpf-of-system");
const GIT_TIMEOUT_ms = 20_000;

/** Carries uBPF 2c7a276, the commit that the submodule is pinned to. */
const UBPF_CRATE = {
  name: "libubpf-sys",
  version: "0.9.611",
  sha256: "98296ed588b7f18cf08700ed1f3c316510f5d0549a7e15ca4333ff5bafb1dbf2",
};

const filled = (path: string, file: string): boolean => existsSync(join(ROOT, path, file));
const haveUbpf = (): boolean => filled(UBPF, "vm/ubpf_vm.c");
const haveLibbpf = (): boolean => filled(LIBBPF, "src/libbpf.c");

/** Submodules from upstream; false where this is no clone or upstream cannot be reached. */
function updateSubmodule(path: string): boolean {
  if (!existsSync(join(ROOT, ".git"))) return false;
  const result = spawnSync("git", ["submodule", "update", "--init", "--depth", "1", "--", path], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: GIT_TIMEOUT_ms,
    env: { ...process.env, GIT_TERMINAL_PROMPT: "0" },
  });
  return result.status === 0;
}

/** Compares every file with the crate's own list of hashes. */
function verifyCrate(folder: string): void {
  const checksums = JSON.parse(readFileSync(join(folder, ".cargo-checksum.json"), "utf8")) as {
    readonly package: string;
    readonly files: Readonly<Record<string, string>>;
  };
  if (checksums.package !== UBPF_CRATE.sha256) {
    throw new Error(
      `crate ${UBPF_CRATE.name} ${UBPF_CRATE.version}: SHA-256 is ${checksums.package}, expected ` +
        `${UBPF_CRATE.sha256}; the registry serves something else than was reviewed`,
    );
  }
  for (const [name, expected] of Object.entries(checksums.files)) {
    const actual = createHash("sha256")
      .update(readFileSync(join(folder, name)))
      .digest("hex");
    if (actual !== expected) throw new Error(`crate ${UBPF_CRATE.name}: ${name} was changed`);
  }
}

/** The registry's crate holds uBPF's tree as a folder. Cargo checks the download's hash. */
function vendorUbpf(): void {
  const work = join(tmpdir(), `tapio-bpf-vendor-${process.pid}`);
  mkdirSync(work, { recursive: true });
  try {
    writeFileSync(
      join(work, "Cargo.toml"),
      `[package]\nname = "vendor"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n` +
        `[dependencies]\n${UBPF_CRATE.name} = "=${UBPF_CRATE.version}"\n`,
    );
    writeFileSync(join(work, "lib.rs"), "");
    const cargo = spawnSync("cargo", ["vendor", "--quiet", "vendor"], {
      cwd: work,
      encoding: "utf8",
    });
    if (cargo.error !== undefined || cargo.status !== 0) {
      throw new Error(
        `cargo vendor ${UBPF_CRATE.name} failed: ${cargo.error?.message ?? cargo.stderr.trim()}; ` +
          "check that the crate registry or github.com can be reached",
      );
    }
    const crate = join(work, "vendor", UBPF_CRATE.name);
    verifyCrate(crate);
    cpSync(join(crate, "ubpf"), join(ROOT, UBPF), { recursive: true });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function haveSystemLibbpf(): boolean {
  return spawnSync("pkg-config", ["--atleast-version=1.0", "libbpf"]).status === 0;
}

/** The system's libbpf serves where upstream cannot be reached, which is tried but once. */
function fetchLibbpf(): void {
  if (updateSubmodule(LIBBPF)) return;
  if (!haveSystemLibbpf()) {
    throw new Error("no libbpf: install libbpf-dev, or make github.com reachable, and try again");
  }
  console.error("setup: upstream libbpf cannot be reached, using the system's");
  mkdirSync(dirname(LIBBPF_MARKER), { recursive: true });
  writeFileSync(LIBBPF_MARKER, "");
}

export function fetchThirdParty(): void {
  if (!haveUbpf() && !updateSubmodule(UBPF)) {
    console.error(`setup: taking uBPF from the crate ${UBPF_CRATE.name} ${UBPF_CRATE.version}`);
    vendorUbpf();
  }
  if (!haveLibbpf() && !existsSync(LIBBPF_MARKER)) fetchLibbpf();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) fetchThirdParty();
