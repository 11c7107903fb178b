/**
 * Records TCP traffic of its own making, while a collector watches the same hooks live:
 *
 *   node vm-tests/guest/record_traffic.ts CLI FOLDER CONNECTIONS
 *
 * Leaves FOLDER/traffic.trace, FOLDER/live.ndjson and the collector's FOLDER/report.json, and prints its ports. In a guest
 * (TAPIO_GUEST=1) the files also go to the console, as lines "file NAME BASE64".
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { connectOnce, listen } from "./connections.ts";

const [cli = "cli/main.ts", folder = ".", connections = "20"] = process.argv.slice(2);
const TRACE = "traffic.trace";
const LIVE = "live.ndjson";
const REPORT = "report.json";
/** Hooks of the TCP collector. */
const HOOKS = 2;
const ATTACH_MS = 120_000;
const LOOPBACK = "127.0.0.1";

function command(report: "ignore" | number, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [cli, ...args], { stdio: ["ignore", report, "inherit"] });
}

/** Hooks that the process is attached to: perf events for tracepoints, on newer kernels with a link each, or links alone. */
function attached(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  if (!existsSync(folder)) return 0;
  const links = readdirSync(folder).map((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`);
    } catch {
      return "";
    }
  });
  const open = (kind: string) => links.filter((link) => link.includes(kind)).length;
  return Math.max(open("perf_event"), open("bpf_link"));
}

async function untilAttached(child: ChildProcess): Promise<void> {
  for (const end = Date.now() + ATTACH_MS; ; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (attached(child.pid!) >= HOOKS) return;
    if (Date.now() > end) throw new Error("it does not attach");
  }
}

/** Connections that are served, and one in ten to a port where nobody listens. */
async function makeTraffic(): Promise<readonly number[]> {
  const closed = createServer();
  const refusing = await listen(closed, LOOPBACK);
  closed.close();
  const server = createServer((socket) => socket.end("x"));
  const serving = await listen(server, LOOPBACK);
  for (let i = 0; i < Number(connections); i++)
    await connectOnce(i % 10 === 9 ? refusing : serving, LOOPBACK);
  server.close();
  await once(server, "close");
  return [serving, refusing];
}

async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGINT");
  const [status] = (await once(child, "exit")) as [number | null];
  if (status !== 0) throw new Error(`a command ended with ${status}`);
}

// Soft interrupts work on these connections in the name of whoever they interrupt, the collector perhaps: none may be left out for that.
const limits = ["--collector", "tcp", "--duration", "600"];
const recorder = command("ignore", "record", ...limits, "-w", join(folder, TRACE));
const sink = `ndjson:${join(folder, LIVE)}`;
const report = openSync(join(folder, REPORT), "w");
const live = command(report, "run", "--backend", "kernel", ...limits, "--sink", sink, "-o", "json");
try {
  await Promise.all([untilAttached(recorder), untilAttached(live)]);
  const [serving, refusing] = await makeTraffic();
  await Promise.all([end(recorder), end(live)]);
  if (process.env["TAPIO_GUEST"] === "1") {
    for (const name of [TRACE, LIVE, REPORT]) {
      console.log(`file ${name} ${gzipSync(readFileSync(join(folder, name))).toString("base64")}`);
    }
  }
  console.log(`ports ${serving} ${refusing}`);
} finally {
  recorder.kill("SIGKILL");
  live.kill("SIGKILL");
}
