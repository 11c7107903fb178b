/**
 * Kernel images from the distribution's packages: found through the machine's own apt configuration,
 * pinned by version and SHA-256, kept under `build/vm/`.
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { machineSources, sourcesOfSuite } from "./apt_sources.ts";
import type { PinnedKernel } from "./kernels.ts";

export const BUILD = join(import.meta.dirname, "../../build/vm");

/** Path of the kernel's image in the cache, or undefined where it has not been fetched. */
export function cachedImage(kernel: PinnedKernel): string | undefined {
  const path = imagePath(kernel);
  return existsSync(path) ? path : undefined;
}

/** Path of the kernel's image, fetched where it is not in the cache. */
export function fetchImage(kernel: PinnedKernel): string {
  const cached = cachedImage(kernel);
  if (cached !== undefined) return cached;
  const folder = join(BUILD, `fetch-${kernel.name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const options = updateLists(kernel.suite);
  const wanted = `${kernel.package}=${kernel.packageVersion}`;
  const download = spawnSync("apt-get", [...options, "-q", "download", wanted], {
    cwd: folder,
    encoding: "utf8",
  });
  if (download.status !== 0) throw new Error(explainMissing(kernel, options, download.stderr));
  const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
  if (file === undefined) throw new Error(`apt-get download ${wanted} left no package`);
  verify(join(folder, file), kernel);
  run("dpkg", ["-x", join(folder, file), join(folder, "root")]);
  renameSync(findImage(join(folder, "root")), imagePath(kernel));
  rmSync(folder, { recursive: true });
  return imagePath(kernel);
}

/** The newest package for the kernel's series in its suite. */
export function newestPin(kernel: PinnedKernel): PinnedKernel {
  const options = updateLists(kernel.suite);
  const newest = newestPackage(kernel, options);
  if (newest === undefined) {
    throw new Error(`suite ${kernel.suite} has no cloud kernel of series ${kernel.name}`);
  }
  return newest;
}

/** Puts the suite's lists into a folder of ours; answers apt's options to use them. */
function updateLists(suite: string): readonly string[] {
  const state = join(BUILD, "apt", suite);
  mkdirSync(join(state, "lists/partial"), { recursive: true });
  mkdirSync(join(state, "cache/archives/partial"), { recursive: true });
  const list = join(state, "sources.list");
  writeFileSync(list, sourcesOfSuite(suite, machineSources(), codename()));
  const settings = {
    "Dir::State": state,
    "Dir::Cache": join(state, "cache"),
    "Dir::Etc::sourcelist": list,
    "Dir::Etc::sourceparts": "-",
    "Acquire::Languages": "none",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
    // The folder is ours; apt's own user may not enter it.
    "APT::Sandbox::User": "root",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  run("apt-get", [...options, "-q", "update"]);
  return options;
}

function codename(): string {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const name = /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1];
  if (name === undefined) throw new Error("/etc/os-release names no release of Debian");
  return name;
}

function verify(path: string, kernel: PinnedKernel): void {
  const sum = createHash("sha256").update(readFileSync(path)).digest("hex");
  if (sum === kernel.sha256) return;
  rmSync(path);
  throw new Error(
    `${kernel.package} ${kernel.packageVersion} has SHA-256 ${sum}, pinned is ${kernel.sha256}`,
  );
}

function explainMissing(kernel: PinnedKernel, options: readonly string[], said: string): string {
  const newest = newestPackage(kernel, options);
  const wanted = `${kernel.package}=${kernel.packageVersion}`;
  if (newest === undefined) return `${wanted}: ${said.trim().split("\n").at(-1)}`;
  const found = `${newest.package}=${newest.packageVersion}`;
  return `${wanted} is not in ${kernel.suite}; the newest is ${found}: pin it with npm run test:vm -- --update-pins --kernel ${kernel.name}`;
}

function newestPackage(kernel: PinnedKernel, options: readonly string[]): PinnedKernel | undefined {
  const series = kernel.name.replaceAll(".", "\\.");
  // Since 7.x the image itself lies in linux-binary-*; linux-image-* only depends on it.
  const split = Number(kernel.name.split(".")[0]) >= 7;
  const name = `^linux-${split ? "binary" : "image"}-${series}\\.[^ ]*-cloud-amd64$`;
  const search = spawnSync("apt-cache", [...options, "--names-only", "search", name], {
    encoding: "utf8",
  });
  const candidates = search.stdout
    .split("\n")
    .map((line) => line.split(" ")[0]!)
    .filter((candidate) => new RegExp(name).test(candidate))
    .flatMap((candidate) => describePackage(kernel, candidate, options));
  return candidates.reduce<PinnedKernel | undefined>(
    (best, candidate) => (best === undefined || isNewer(candidate, best) ? candidate : best),
    undefined,
  );
}

function describePackage(
  kernel: PinnedKernel,
  name: string,
  options: readonly string[],
): PinnedKernel[] {
  const show = spawnSync("apt-cache", [...options, "show", "--no-all-versions", name], {
    encoding: "utf8",
  });
  const field = (title: string) => new RegExp(`^${title}: (\\S+)$`, "m").exec(show.stdout)?.[1];
  const [packageVersion, sha256] = [field("Version"), field("SHA256")];
  if (packageVersion === undefined || sha256 === undefined) return [];
  const version = packageVersion.split("-")[0]!;
  return [{ ...kernel, version, package: name, packageVersion, sha256 }];
}

function isNewer(one: PinnedKernel, other: PinnedKernel): boolean {
  const versions = [one.packageVersion, "gt", other.packageVersion];
  return spawnSync("dpkg", ["--compare-versions", ...versions]).status === 0;
}

function imagePath({ package: name, packageVersion }: PinnedKernel): string {
  return join(BUILD, `${name}_${packageVersion}.vmlinuz`);
}

/** `boot/vmlinuz-RELEASE`, or where packages are split `usr/lib/modules/RELEASE/vmlinuz`. */
function findImage(root: string): string {
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" });
  const path = paths.find((candidate) =>
    /^(boot\/vmlinuz-[^/]+|(usr\/)?lib\/modules\/[^/]+\/vmlinuz)$/.test(candidate),
  );
  if (path === undefined) throw new Error("the package holds no vmlinuz");
  return join(root, path);
}

function run(command: string, parameters: readonly string[]): void {
  const result = spawnSync(command, parameters, { encoding: "utf8" });
  if (result.error !== undefined) throw new Error(`${command}: ${result.error.message}`);
  if (result.status === 0) return;
  throw new Error(`${command} failed: ${result.stderr.trim().split("\n").at(-1)}`);
}
