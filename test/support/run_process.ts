/** `tapio-bpf run` as a process in the background. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface RunProcess {
  readonly process: ChildProcess;
  /** What it wrote so far. */
  readonly output: { out: string; error: string };
}

export function startRun(args: readonly string[], environment = {}): RunProcess {
  return startRunWith([], args, environment);
}

/** The same through a command that executes the words after its own. */
export function startRunWith(
  command: readonly string[],
  args: readonly string[],
  environment = {},
): RunProcess {
  const words = [process.execPath, "cli/main.ts", "run", "-o", "json"];
  const [file, ...rest] = [...command, ...words, ...args];
  const child = spawn(file!, rest, { env: { ...process.env, ...environment } });
  const run = { process: child, output: { out: "", error: "" } };
  child.stdout.on("data", (chunk) => (run.output.out += chunk));
  child.stderr.on("data", (chunk) => (run.output.error += chunk));
  return run;
}

/** Waits for the end; returns the exit code. */
export async function ended({ process: child }: RunProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "close");
  return child.exitCode;
}

/** Ends it as a service manager would. */
export async function endRun(run: RunProcess): Promise<number | null> {
  if (run.process.exitCode === null) run.process.kill("SIGTERM");
  return ended(run);
}
