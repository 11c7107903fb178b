/**
 * Builds the published `dist/`: JavaScript and declarations beside a package.json that maps the
 * sources' subpath imports there. Artefacts stay in `build/`.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runTask } from "./run_task.ts";

/** The compiler rewrites relative specifiers only; subpath imports end in `.ts`, too. */
const SPECIFIER = /((?:from|import)\s*\(?\s*")([#.][^"]+)\.ts"/g;

function rewriteSpecifiers(): void {
  for (const name of readdirSync("dist", { recursive: true, encoding: "utf8" })) {
    if (!/\.(js|d\.ts)$/.test(name)) continue;
    const path = join("dist", name);
    writeFileSync(path, readFileSync(path, "utf8").replaceAll(SPECIFIER, '$1$2.js"'));
  }
}

await runTask(async () => {
  rmSync("dist", { recursive: true, force: true });
  const compile = spawnSync("tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
  if (compile.status !== 0) return 1;
  rewriteSpecifiers();
  const { version, imports } = JSON.parse(readFileSync("package.json", "utf8"));
  const nested = { type: "module", version, imports };
  writeFileSync("dist/package.json", `${JSON.stringify(nested, null, 2)}\n`);
  return 0;
});
