/** `npm run test:sanitized`: the tests of the kernel backend's addon under Address and UB sanitizers. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildAddon, SANITIZED } from "../build_addon.ts";
import { runTask } from "../run_task.ts";
import { setup } from "../setup.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Those that use the addon in the process of the test. */
const TESTS = ["backend", "ring", "attach", "leaks"].map((name) => `test/kernel/${name}.test.ts`);

await runTask(async () => {
  await setup();
  if (!(await buildAddon(SANITIZED))) return 1;
  const library = spawnSync("g++", ["-print-file-name=libasan.so"], { encoding: "utf8" });
  const run = spawnSync("vitest", ["run", ...TESTS], {
    cwd: ROOT,
    stdio: "inherit",
    env: {
      ...process.env,
      // The runtime must be there before the addon is; Node itself is not instrumented.
      LD_PRELOAD: library.stdout.trim(),
      TAPIO_KERNEL_ADDON: join(ROOT, SANITIZED.output),
      // What Node leaves to the end of the process is no leak of ours.
      ASAN_OPTIONS: "detect_leaks=0:halt_on_error=1",
      UBSAN_OPTIONS: "halt_on_error=1:print_stacktrace=1",
    },
  });
  return run.status ?? 1;
});
