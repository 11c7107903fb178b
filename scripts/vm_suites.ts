/** Runs the suites of vm-tests/ on guests, one kernel after another. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { type PinnedKernel, pinnedKernels } from "#vm-tests/harness/kernels.ts";

/** The oldest that is supported, and the one that most people have. */
export const DEFAULT_KERNELS = ["5.10", "6.12"];

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function addCounts(left: Counts, right: Counts): Counts {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
  };
}

export const NO_COUNTS: Counts = { passed: 0, failed: 0, skipped: 0 };

export interface GuestBudget {
  /** Replaces the budget of every property. */
  readonly runs?: string | undefined;
  /** Replaces it where the kernel is compared with the simulated one, input by input. */
  readonly sequences?: string | undefined;
}

/** The kernel's image has been fetched. */
export function testKernel(kernel: PinnedKernel, { runs, sequences }: GuestBudget): Counts {
  mkdirSync("build/vm", { recursive: true });
  const report = `build/vm/report-${kernel.name}.json`;
  rmSync(report, { force: true });
  console.error(`vm: Linux ${kernel.version}`);
  const started_ms = performance.now();
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const run = spawnSync("vitest", ["run", "--config", "vm-tests/vitest.config.ts", ...reporters], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      TAPIO_VM_KERNEL: kernel.name,
      ...(runs === undefined ? {} : { TAPIO_VM_RUNS: runs }),
      ...(sequences === undefined ? {} : { TAPIO_VM_SEQUENCES: sequences }),
    },
  });
  const counts = JSON.parse(readFileSync(report, "utf8")) as Record<string, number>;
  const failed = counts["numFailedTests"]!;
  const took_s = Math.round((performance.now() - started_ms) / 1000);
  console.error(`vm: Linux ${kernel.version} took ${took_s} s`);
  // A guest that does not come up, or that complains at the end, fails no test but the file.
  const unseen = run.status !== 0 && failed === 0 ? 1 : 0;
  return {
    passed: counts["numPassedTests"]!,
    failed: failed + unseen,
    skipped: counts["numPendingTests"]!,
  };
}

export function defaultKernels(): PinnedKernel[] {
  return pinnedKernels().filter(({ name }) => DEFAULT_KERNELS.includes(name));
}
