/**
 * `npm run test:otlp`: metrics and logs against the OpenTelemetry project's own collector, built from its sources
 * with Go. Minutes the first time.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { findExecutable } from "../install_tools.ts";
import { runTask } from "../run_task.ts";
import { setup } from "../setup.ts";

await runTask(async () => {
  await setup();
  if (findExecutable("go") === undefined)
    throw new Error("go is missing; install Go 1.25 or newer");
  mkdirSync("build", { recursive: true });
  const build = spawnSync("go", ["build", "-o", resolve("build/otlp_receiver"), "."], {
    cwd: "test/testdata/otlp_receiver",
    stdio: ["ignore", 2, 2],
  });
  if (build.status !== 0) throw new Error("go build failed; its output stands above");
  const run = spawnSync("vitest", ["run", "test/cli/telemetry/receiver.test.ts"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return run.status ?? 1;
});
