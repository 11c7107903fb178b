/** A local container engine: the one that runs, else Debian's, started for as long as it is needed. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findExecutable, installPackages } from "../install_tools.ts";

const START_s = 60;
const STOP_s = 30;
/** From this version on the client builds with BuildKit only through a plugin. */
const CLIENT_NEEDS_PLUGIN = 23;

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Engine {
  /** Runs `docker ARGS` to its end; never throws for what the command answers. */
  run(args: readonly string[], options?: RunOptions): CommandResult;
  /** Stops what was started for this; a no-op where the engine was there before. */
  close(): Promise<void>;
}

export interface RunOptions {
  /** Standard input comes from this descriptor. */
  readonly input?: number;
  /** Shows what the command says on standard error instead of returning it. */
  readonly show?: boolean;
  readonly timeout_s?: number;
}

function answers(command: string, args: readonly string[]): string | undefined {
  const result = spawnSync(command, args, { encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** The first `docker` on the path that can build with secrets. */
function findClient(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders
    .map((folder) => join(folder, "docker"))
    .find((path) => {
      const version = /version (\d+)/.exec(answers(path, ["--version"]) ?? "")?.[1];
      if (version === undefined) return false;
      return (
        Number(version) < CLIENT_NEEDS_PLUGIN || answers(path, ["buildx", "version"]) !== undefined
      );
    });
}

function createRun(client: string, host: string | undefined): Engine["run"] {
  const env = {
    ...process.env,
    DOCKER_BUILDKIT: "1",
    ...(host === undefined ? {} : { DOCKER_HOST: host }),
  };
  return (args, { input, show = false, timeout_s = 900 } = {}) => {
    const result = spawnSync(client, args, {
      env,
      encoding: "utf8",
      maxBuffer: 64 << 20,
      timeout: timeout_s * 1000,
      stdio: [input ?? "ignore", show ? 2 : "pipe", show ? 2 : "pipe"],
    });
    const stderr = result.stderr ?? "";
    return {
      status: result.status ?? 1,
      stdout: result.stdout ?? "",
      stderr: result.error === undefined ? stderr : `${stderr}${result.error.message}`,
    };
  };
}

/** An engine of our own: its data lies in `folder`, and it leaves the host's network alone. */
function startDaemon(folder: string): { daemon: ChildProcess; host: string; log: string } {
  const host = `unix://${join(folder, "docker.sock")}`;
  const log = join(folder, "dockerd.log");
  const output = openSync(log, "w");
  const places = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")];
  const network = ["--bridge=none", "--iptables=false", "--ip6tables=false"];
  const daemon = spawn(
    "dockerd",
    [...places, "--host", host, "--pidfile", join(folder, "dockerd.pid"), ...network],
    // A group of its own: an interrupt of the terminal is for this script, which then stops it.
    { stdio: ["ignore", output, output], detached: true },
  );
  closeSync(output);
  return { daemon, host, log };
}

async function stopDaemon(daemon: ChildProcess, folder: string): Promise<void> {
  const running = (): boolean => daemon.exitCode === null && daemon.signalCode === null;
  daemon.kill("SIGTERM");
  for (let waited_ms = 0; running() && waited_ms < STOP_s * 1000; waited_ms += 100) {
    await sleep(100);
  }
  if (running()) daemon.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Starts an engine, with Debian's package where none is installed and we are root. */
async function startEngine(): Promise<Engine> {
  const root = process.getuid?.() === 0;
  if (!root) throw new Error("no container engine answers: start one, or run this as root");
  if (findExecutable("dockerd") === undefined || findClient() === undefined) {
    installPackages(["docker.io"]);
  }
  const client = findClient();
  if (client === undefined) throw new Error("no docker client builds here: install docker.io");
  const folder = mkdtempSync(join(tmpdir(), "tapio-docker-"));
  const { daemon, host, log } = startDaemon(folder);
  const run = createRun(client, host);
  for (let waited_s = 0; waited_s < START_s; waited_s += 0.5) {
    if (run(["version"]).status === 0) return { run, close: () => stopDaemon(daemon, folder) };
    if (daemon.exitCode !== null) break;
    await sleep(500);
  }
  const last = readFileSync(log, "utf8").trim().split("\n").slice(-3).join(" | ");
  await stopDaemon(daemon, folder);
  throw new Error(`dockerd does not start: ${last}`);
}

/** Throws where no engine runs and none can be started. */
export async function openEngine(): Promise<Engine> {
  const client = findClient();
  if (client !== undefined) {
    const run = createRun(client, undefined);
    if (run(["version"], { timeout_s: 20 }).status === 0) return { run, close: async () => {} };
  }
  return startEngine();
}
