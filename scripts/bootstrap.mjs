/**
 * First step of every npm script, in plain JavaScript so that any Node starts it: installs the npm
 * packages when they are missing or out of date, then hands over to the Node that they bring.
 *
 * Usage: node scripts/bootstrap.mjs TASK [arguments...], where TASK names scripts/tasks/TASK.ts.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const marker = join(root, "node_modules", ".tapio-lock-hash");
const [task = "", ...rest] = process.argv.slice(2);

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (result.error) {
    console.error(`${command}: ${result.error.message}`);
    return 1;
  }
  return result.status ?? 1;
}

function installPackages() {
  const lock = readFileSync(join(root, "package-lock.json"));
  const hash = createHash("sha256").update(lock).digest("hex");
  if (existsSync(marker) && readFileSync(marker, "utf8") === hash) return 0;
  // npm's own output goes to standard error: standard output belongs to the task.
  const status = run("npm", ["ci", "--no-audit", "--no-fund"], { stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    console.error("npm ci failed; check that the npm registry of this machine can be reached");
    return status;
  }
  writeFileSync(marker, hash);
  return 0;
}

if (!existsSync(join(root, "scripts", "tasks", `${task}.ts`))) {
  console.error(`bootstrap: no task "${task}"; tasks stand in scripts/tasks/`);
  process.exit(2);
}
const installed = installPackages();
if (installed !== 0) process.exit(installed);
const bin = join(root, "node_modules", ".bin");
const script = join("scripts", "tasks", `${task}.ts`);
// Half of a short command's time is stripping types and compiling; tests start hundreds of commands.
const compileCache = process.env.NODE_COMPILE_CACHE ?? join(root, "build", "compile-cache");
process.exit(
  run(join(bin, "node"), ["--disable-warning=ExperimentalWarning", script, ...rest], {
    env: {
      ...process.env,
      PATH: `${bin}:${process.env.PATH ?? ""}`,
      NODE_COMPILE_CACHE: compileCache,
    },
  }),
);
