/** The command line as a child process, and load for it to see. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface Finished {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
}

export function tapio(...args: string[]): ChildProcess {
  return spawn(process.execPath, ["cli/main.ts", ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

export async function finish(child: ChildProcess): Promise<Finished> {
  let out = "";
  let error = "";
  child.stdout!.on("data", (chunk) => (out += chunk));
  child.stderr!.on("data", (chunk) => (error += chunk));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, out, error };
}

/** System calls and loopback connections until it is killed. */
const LOAD = `
  const { createServer, connect } = require("node:net");
  const { readFileSync } = require("node:fs");
  const server = createServer((socket) => socket.end("x")).listen(0, "127.0.0.1", () => {
    const again = () => {
      for (let i = 0; i < 200; i++) readFileSync("/proc/self/stat");
      connect(server.address().port, "127.0.0.1").on("close", again).on("error", again).resume();
    };
    for (let i = 0; i < 4; i++) again();
  });
`;

/** Runs `body` while a child process, whose PID it gets, makes system calls and connections. */
export async function underLoad<Result>(body: (pid: number) => Promise<Result>): Promise<Result> {
  const load = spawn(process.execPath, ["-e", LOAD], { stdio: "ignore" });
  try {
    return await body(load.pid!);
  } finally {
    load.kill("SIGKILL");
  }
}
