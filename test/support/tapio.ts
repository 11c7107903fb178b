/** The command line as users get it: a process of its own. */
import { spawnSync } from "node:child_process";

export interface CommandResult {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
}

export function tapio(args: readonly string[], input = ""): CommandResult {
  const run = spawnSync(process.execPath, ["cli/main.ts", ...args], {
    encoding: "utf8",
    input,
    timeout: 60_000,
  });
  return { status: run.status, error: run.stderr.trimEnd(), out: run.stdout };
}
