/** `npm test`: everything that can be tested here, closing with one line of counts. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { runTask } from "../run_task.ts";
import { setup } from "../setup.ts";

const REPORT = "build/test-report.json";

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numFailedTestSuites: number;
  readonly success: boolean;
}

await runTask(async () => {
  await setup();
  mkdirSync("build", { recursive: true });
  rmSync(REPORT, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`];
  const run = spawnSync("vitest", ["run", ...reporters, ...process.argv.slice(2)], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const report = JSON.parse(readFileSync(REPORT, "utf8")) as Report;
  // A file that does not even load has no failed test, but is a failure all the same.
  const unloadable = report.success || report.numFailedTests > 0 ? 0 : report.numFailedTestSuites;
  const failed = report.numFailedTests + unloadable;
  const skipped = report.numPendingTests + report.numTodoTests;
  console.log(`${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
  const green = run.status === 0 && failed === 0 && report.numPassedTests > 0;
  return green ? 0 : 1;
});
