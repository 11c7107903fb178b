/**
 * `npm run test:memcheck [-- CYCLES]`: open, load, attach, read and close, refused ones included, under
 * valgrind. Fails on every error in the addon and on every block that it lost.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { buildAddon, CHECKED } from "../build_addon.ts";
import { ownErrors } from "../memcheck_report.ts";
import { runTask } from "../run_task.ts";
import { setup } from "../setup.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FOLDER = join(ROOT, "build/memcheck");
const REPORT = join(FOLDER, "report.xml");
const CYCLES_DEFAULT = "20";

const VALGRIND = [
  // V8 generates code, in memory that belongs to no file.
  "--smc-check=all-non-file",
  "--leak-check=full",
  "--show-leak-kinds=definite,indirect",
  "--error-limit=no",
  "--num-callers=40",
  "--xml=yes",
  `--xml-file=${REPORT}`,
];

/** Without its compiler Node runs faster here, but cannot strip types: it gets a bundle. */
const NODE = [process.execPath, "--jitless", "--expose-gc"];

async function bundleWorkload(): Promise<string> {
  mkdirSync(FOLDER, { recursive: true });
  const input = join(ROOT, "test/kernel/memory_workload.ts");
  const bundle = await rolldown({ input, platform: "node", logLevel: "silent" });
  const file = join(FOLDER, "workload.mjs");
  await bundle.write({ file, format: "esm" });
  await bundle.close();
  return file;
}

await runTask(async () => {
  await setup();
  if (!(await buildAddon(CHECKED))) return 1;
  const workload = [await bundleWorkload(), process.argv[2] ?? CYCLES_DEFAULT];
  const run = spawnSync("valgrind", [...VALGRIND, ...NODE, ...workload], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, TAPIO_KERNEL_ADDON: join(ROOT, CHECKED.output) },
  });
  if (run.error !== undefined) throw new Error("no valgrind; install the package valgrind");
  // It tells of every bpf(2) command that it does not know.
  if (run.status !== 0) throw new Error(`the workload failed:\n${run.stderr.slice(-4000)}`);
  const errors = ownErrors(readFileSync(REPORT, "utf8"));
  for (const error of errors) console.error(`${error}\n`);
  console.log(`${run.stdout.trim()} under valgrind: ${errors.length} errors in the addon`);
  return errors.length === 0 ? 0 : 1;
});
