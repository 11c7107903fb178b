/**
 * `npm test`: everything that can be tested here, closing with one line of counts: all of vitest, then
 * the suites of vm-tests/ on two of the kernels. What follows `--` goes to vitest, and leaves the guests out.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import type { PinnedKernel } from "#vm-tests/harness/kernels.ts";
import { fetchImage } from "#vm-tests/harness/packages.ts";
import { findExecutable, installTools, TEST_TOOLS } from "../install_tools.ts";
import { runTask } from "../run_task.ts";
import { setup } from "../setup.ts";
import { addCounts, type Counts, defaultKernels, NO_COUNTS, testKernel } from "../vm_suites.ts";

const REPORT = "build/test-report.json";
/** Runs of every property in a guest: a look at each; `npm run test:vm` takes the whole budget. */
const GUEST_RUNS = "10";
const TRACEFS = "/sys/kernel/tracing";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numFailedTestSuites: number;
  readonly success: boolean;
}

/** Tests attach to tracepoints; containers and small systems do not mount this by themselves. */
function mountTracefs(): void {
  if (process.getuid?.() !== 0 || !existsSync(TRACEFS) || existsSync(`${TRACEFS}/events`)) return;
  const mounted = spawnSync("mount", ["-t", "tracefs", "tracefs", TRACEFS], { encoding: "utf8" });
  if (mounted.status !== 0) console.error(`test: tracefs: ${mounted.stderr.trim()}`);
}

/** Those that can be had: a pin may be older than what the archive keeps. */
function fetchKernels(): PinnedKernel[] {
  if (findExecutable("qemu-system-x86_64") === undefined) {
    console.error("test: no guests: qemu-system-x86_64 is missing; install qemu-system-x86");
    return [];
  }
  return defaultKernels().filter((kernel) => {
    try {
      fetchImage(kernel);
      return true;
    } catch (error) {
      console.error(`test: no guest with Linux ${kernel.name}: ${(error as Error).message}`);
      return false;
    }
  });
}

function runVitest(args: readonly string[]): Counts {
  mkdirSync("build", { recursive: true });
  rmSync(REPORT, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`];
  const run = spawnSync("vitest", ["run", ...reporters, ...args], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const report = JSON.parse(readFileSync(REPORT, "utf8")) as Report;
  // A file that does not even load has no failed test, but is a failure all the same.
  const unloadable = report.success || report.numFailedTests > 0 ? 0 : report.numFailedTestSuites;
  const failed = report.numFailedTests + unloadable;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && run.status !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

await runTask(async () => {
  await setup();
  installTools(TEST_TOOLS);
  mountTracefs();
  const args = process.argv.slice(2);
  const kernels = args.length === 0 ? fetchKernels() : [];
  const unfetched = args.length === 0 ? defaultKernels().length - kernels.length : 0;
  let counts = addCounts({ ...NO_COUNTS, skipped: unfetched }, runVitest(args));
  for (const kernel of kernels)
    counts = addCounts(counts, testKernel(kernel, { runs: GUEST_RUNS }));
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
});
