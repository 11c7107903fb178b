/**
 * `npm run test:vm [-- --kernel NAME]... [--runs N] [--update-pins]`: the suites of vm-tests/ on guests
 * with Debian's kernels, one after another, closing with one line of counts. `--all` takes all kernels;
 * `--runs` replaces the budget of every property; `--update-pins` pins the newest packages instead.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  kernelNamed,
  type PinnedKernel,
  pinnedKernels,
  writePin,
} from "#vm-tests/harness/kernels.ts";
import { fetchImage, newestPin } from "#vm-tests/harness/packages.ts";
import { findExecutable } from "../install_tools.ts";
import { runTask } from "../run_task.ts";
import { setup } from "../setup.ts";

/** The oldest that is supported, and the one that most people have. */
const DEFAULT_KERNELS = ["5.10", "6.12"];

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

function testKernel(kernel: PinnedKernel, runs: string | undefined): Counts {
  const report = `build/vm/report-${kernel.name}.json`;
  rmSync(report, { force: true });
  console.error(`vm: Linux ${kernel.version}`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const run = spawnSync("vitest", ["run", "--config", "vm-tests/vitest.config.ts", ...reporters], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      TAPIO_VM_KERNEL: kernel.name,
      ...(runs === undefined ? {} : { TAPIO_VM_RUNS: runs }),
    },
  });
  const counts = JSON.parse(readFileSync(report, "utf8")) as Record<string, number>;
  const failed = counts["numFailedTests"]!;
  // A guest that does not come up, or that complains at the end, fails no test but the file.
  const unseen = run.status !== 0 && failed === 0 ? 1 : 0;
  return {
    passed: counts["numPassedTests"]!,
    failed: failed + unseen,
    skipped: counts["numPendingTests"]!,
  };
}

function updatePins(kernels: readonly PinnedKernel[]): number {
  for (const kernel of kernels) {
    const newest = newestPin(kernel);
    const changed = newest.packageVersion !== kernel.packageVersion;
    if (changed) writePin(newest);
    console.log(
      `${kernel.name}: ${newest.package} ${newest.packageVersion}${changed ? "" : " (as before)"}`,
    );
  }
  return 0;
}

await runTask(async () => {
  const { values } = parseArgs({
    options: {
      kernel: { type: "string", multiple: true },
      all: { type: "boolean" },
      runs: { type: "string" },
      "update-pins": { type: "boolean" },
    },
  });
  const everything = values.all || (values["update-pins"] && values.kernel === undefined);
  const kernels = everything
    ? pinnedKernels()
    : (values.kernel ?? DEFAULT_KERNELS).map(kernelNamed);
  if (values["update-pins"]) return updatePins(kernels);
  if (findExecutable("qemu-system-x86_64") === undefined) {
    throw new Error("qemu-system-x86_64 is missing; install the package qemu-system-x86");
  }
  await setup();
  mkdirSync("build/vm", { recursive: true });
  for (const kernel of kernels) fetchImage(kernel);
  const counts = kernels.map((kernel) => testKernel(kernel, values.runs));
  const sum = (name: keyof Counts) => counts.reduce((total, each) => total + each[name], 0);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
  return sum("failed") === 0 && sum("passed") > 0 ? 0 : 1;
});
