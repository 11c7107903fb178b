/** The matrix of kernels: what `kernels.json` pins. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface PinnedKernel {
  /** What a person calls it (`"6.12"`). */
  readonly name: string;
  /** Upstream version that the package holds; `uname -r` of Debian's older kernels hides it. */
  readonly version: string;
  /** Suite of the distribution that carries the package. */
  readonly suite: string;
  readonly package: string;
  readonly packageVersion: string;
  /** Of the package file, in hex. */
  readonly sha256: string;
}

const FILE = join(import.meta.dirname, "../kernels.json");

export function pinnedKernels(): readonly PinnedKernel[] {
  return JSON.parse(readFileSync(FILE, "utf8")) as PinnedKernel[];
}

/** Throws an error that names the choices. */
export function kernelNamed(name: string): PinnedKernel {
  const kernels = pinnedKernels();
  const kernel = kernels.find((candidate) => candidate.name === name);
  if (kernel !== undefined) return kernel;
  const names = kernels.map((candidate) => candidate.name).join(", ");
  throw new Error(`kernel "${name}" is not in vm-tests/kernels.json; choose one of ${names}`);
}

/** Replaces one kernel's pin, matched by name. */
export function writePin(pin: PinnedKernel): void {
  const kernels = pinnedKernels().map((kernel) => (kernel.name === pin.name ? pin : kernel));
  writeFileSync(FILE, `${JSON.stringify(kernels, null, 2)}\n`);
}
