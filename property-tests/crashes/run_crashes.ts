/**
 * Kills `tapio-bpf run`, with a log and an OTLP destination, at random moments, again and again. The destination holds
 * the batches against each other by their dedupe keys: sequences have no gap, a batch that comes again is the
 * same, and there are no fewer events than the runs had said to be in the log.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectControl } from "#cli/daemon/control_client.ts";
import type { RunReport } from "#cli/run/report.ts";

/** Requests that a run gets answered before it is killed, at most. */
const LIFE_REQUESTS_MAX = 30;
/** Longest time from the last of them to the end. */
const LIFE_MS_MAX = 30;
/** Part of the runs that are killed while they start. */
const EARLY_SHARE = 0.2;
const START_MS_MAX = 60_000;
const END_MS_MAX = 120_000;
/** Part of the requests that the destination refuses, to be sent again. */
const BUSY_SHARE = 0.1;

export interface RunCrashOptions {
  readonly kills: number;
  /** A number from 0 to 1. */
  readonly random: () => number;
}

export interface RunCrashReport {
  readonly kills: number;
  /** Batches that the destination has, each counted once, and requests that repeated one. */
  readonly batches: number;
  readonly repeated: number;
  /** Sequences that are missing before a later one of the same log. */
  readonly gaps: number;
  /** Events that runs had said to be in the log, beyond those that the destination has. */
  readonly lost_events: number;
  /** Requests without a key, or with the key of another batch. */
  readonly wrong: number;
  /** Runs that ended by themselves. */
  readonly refused_starts: number;
  /** What the last run, which was not killed, said about its books; it sends everything. */
  readonly residual: number;
}

class Destination {
  requests = 0;
  repeated = 0;
  wrong = 0;
  /** Events by sequence, by log. */
  readonly #logs = new Map<string, Map<number, number>>();

  /** `key`: `HOST/COLLECTOR/SEGMENT/SEQUENCE`, in quotes. */
  take(key: string | undefined, events: number): void {
    this.requests++;
    const parts = /^"(.+)\/(\d+)\/(\d+)"$/.exec(key ?? "");
    if (parts === null) {
      this.wrong++;
      return;
    }
    const [, log, , sequence] = parts as unknown as [string, string, string, string];
    const batches = this.#logs.get(log) ?? new Map<number, number>();
    this.#logs.set(log, batches);
    const known = batches.get(Number(sequence));
    if (known !== undefined) this.repeated++;
    if (known !== undefined && known !== events) this.wrong++;
    batches.set(Number(sequence), events);
  }

  get batches(): number {
    return [...this.#logs.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get events(): number {
    const all = [...this.#logs.values()].flatMap((batches) => [...batches.values()]);
    return all.reduce((sum, events) => sum + events, 0);
  }

  get gaps(): number {
    const gaps = [...this.#logs.values()].map((log) => Math.max(...log.keys()) - log.size);
    return gaps.reduce((sum, count) => sum + count, 0);
  }
}

async function listen(destination: Destination, random: () => number) {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const busy = random() < BUSY_SHARE;
      const events = Buffer.concat(chunks).toString("latin1").split("sampling.threshold");
      const key = request.headers["idempotency-key"] as string | undefined;
      if (!busy) destination.take(key, events.length - 1);
      response.statusCode = busy ? 503 : 200;
      setTimeout(() => response.end(), 10 * random());
    });
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}/v1/logs`, server };
}

function startRun(folder: string, endpoint: string, more: readonly string[]): ChildProcess {
  const config = join(folder, "tapio.yaml");
  const log = { enabled: true, path: join(folder, "log"), segment_bytes: 65_536 };
  writeFileSync(
    config,
    JSON.stringify({
      sinks: [{ type: "otlp", endpoint, compression: "none" }],
      log: { ...log, max_bytes: 1 << 20 },
      batching: { retry_backoff_ms: 5, max_batch_size: 200 },
    }),
  );
  const socket = join(folder, "run.sock");
  const options = ["--config", config, "--socket", socket, "--pace", "max", ...more];
  return spawn(process.execPath, ["cli/main.ts", "run", "-o", "json", ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

/** Waits until `ready`, the end of the run, or far too long. */
async function waitFor(child: ChildProcess, ready: () => boolean): Promise<void> {
  const begun_ms = performance.now();
  while (!ready() && !hasEnded(child) && performance.now() - begun_ms < START_MS_MAX)
    await sleep(2);
}

/** Asks the run what is in the log until it is no more; the last answer. */
async function followLog(child: ChildProcess, socket: string): Promise<number> {
  await waitFor(child, () => existsSync(socket));
  let accepted = 0;
  try {
    const client = await connectControl(socket);
    for (;;) {
      const { delivery } = (await client.call("run.report")) as RunReport;
      accepted = delivery!.eventsProcessed;
    }
  } catch {
    return accepted;
  } finally {
    await (hasEnded(child) ? undefined : once(child, "close"));
  }
}

/** The last run: a little more, and everything that is in the log. */
async function drain(folder: string, endpoint: string): Promise<RunReport> {
  const child = startRun(folder, endpoint, ["--workload", "default", "--duration", "0.01"]);
  const timer = setTimeout(() => child.kill("SIGKILL"), END_MS_MAX);
  let out = "";
  child.stdout!.on("data", (chunk) => (out += chunk));
  await once(child, "close");
  clearTimeout(timer);
  return JSON.parse(out) as RunReport;
}

export async function crashRun({ kills, random }: RunCrashOptions): Promise<RunCrashReport> {
  const folder = mkdtempSync(join(tmpdir(), "tapio-run-crash-"));
  const destination = new Destination();
  const { endpoint, server } = await listen(destination, random);
  const socket = join(folder, "run.sock");
  let [accepted, refused_starts, start_ms] = [0, 0, 1000];
  try {
    for (let kill = 0; kill < kills; kill++) {
      rmSync(socket, { force: true });
      const begun_ms = performance.now();
      const child = startRun(folder, endpoint, ["--workload", "default"]);
      if (random() < EARLY_SHARE) {
        await sleep(random() * start_ms);
        child.kill("SIGKILL");
        await (hasEnded(child) ? undefined : once(child, "close"));
      } else {
        const log = followLog(child, socket);
        const last = destination.requests + LIFE_REQUESTS_MAX * random();
        await waitFor(child, () => destination.requests > last);
        start_ms = performance.now() - begun_ms;
        await sleep(random() * LIFE_MS_MAX);
        child.kill("SIGKILL");
        accepted += await log;
      }
      if (child.signalCode !== "SIGKILL") refused_starts++;
    }
    const last = await drain(folder, endpoint);
    accepted += last.delivery!.eventsProcessed;
    const { batches, repeated, gaps, wrong, events } = destination;
    const lost_events = Math.max(0, accepted - events);
    const { residual } = last.books;
    return { kills, batches, repeated, gaps, lost_events, wrong, refused_starts, residual };
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
}
