/**
 * `npm run nightly [-- PATHS]`: every property of property-tests/ (or of PATHS) with its nightly budget, as
 * property-tests/registry.ts has it. Prints the seed that repeats the run; a failure prints its own line.
 */
import { spawnSync } from "node:child_process";
import { runTask } from "../run_task.ts";
import { setup } from "../setup.ts";

await runTask(async () => {
  await setup();
  const paths = process.argv.slice(2);
  const { status } = spawnSync(
    "vitest",
    ["run", "--reporter=verbose", ...(paths.length === 0 ? ["property-tests"] : paths)],
    { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, TAPIO_BUDGET: "nightly" } },
  );
  return status ?? 1;
});
