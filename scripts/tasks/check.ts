/** `npm run check`: format, types, lint, unit tests and a property smoke, without root. */
import { spawnSync } from "node:child_process";
import { runTask } from "../run_task.ts";
import { setup } from "../setup.ts";

/** Left to npm test: the whole recording, a real kernel, a browser. */
function excluded(...patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => ["--exclude", pattern]);
}

const STEPS: readonly (readonly [string, ...string[]])[] = [
  ["biome", "check", "--error-on-warnings"],
  ["tsc", "-p", "tsconfig.json"],
  [
    "vitest",
    "run",
    "--reporter=dot",
    ...excluded(
      "test/acceptance/**",
      "test/kernel/**",
      "test/examples/**",
      "property-tests/conformance/kernel.test.ts",
    ),
  ],
];

await runTask(async () => {
  await setup();
  for (const [command, ...args] of STEPS) {
    const env = { ...process.env, TAPIO_BUDGET: process.env["TAPIO_BUDGET"] ?? "quick" };
    const step = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"], env });
    if (step.status !== 0) {
      console.error(`check: ${command} failed; its output stands above`);
      return 1;
    }
  }
  return 0;
});
