/**
 * Events from hook to acknowledgement: columnar encoding, the write-ahead log, a file sink. On a real kernel at 100,000
 * events/s (a rate limit holds `dd` at that), where there is one; and a recording as fast as it goes on the wasm backend,
 * with threads that encode.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, configSchema } from "#core/config/config.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import { checkMachine } from "#kernel/probes.ts";
import { DEFAULT_ENGINE } from "#wasm/engines/engines.ts";
import { runKernel } from "../cli/run/kernel.ts";
import type { RunReport } from "../cli/run/report.ts";
import { runSimulated } from "../cli/run/simulated.ts";
import { type Bench, machine, median } from "./bench.ts";
import { SAMPLE_TRACE } from "./recorded_batches.ts";
import { repeatTrace } from "./repeated_trace.ts";

const EVENTS_PER_S = 100_000;
/** Seconds of a round on the kernel; six rounds make the minute. */
const ROUND_S = 10;
/** Records of a round on the wasm backend, at least: some seconds. */
const ROUND_RECORDS = 2_000_000;
/** Before those that count: V8 compiles hot functions anew in the background. */
const WARM_UP_ROUNDS = 1;

interface Delivered {
  readonly events: number;
  readonly events_per_s: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  readonly lost: number;
  /** Part of the bytes that the encoding saved. */
  readonly saved: number;
  readonly cpu_share: number;
}

function configIn(folder: string, more: object): Config {
  return configSchema.parse({
    sinks: [{ type: "file", path: join(folder, "events") }],
    log: { enabled: true, path: join(folder, "log") },
    batching: { max_batch_age_ms: 10, max_batch_size: 10_000 },
    rings: { bytes: 16 * 1024 * 1024, wakeup_deadline_ms: 10 },
    ...more,
  });
}

function summary(report: RunReport, cpu_us: number): Delivered {
  const { books, delivery, elapsed_s } = report;
  const { p50LatencyMs, p95LatencyMs, p99LatencyMs, compressionSavings } = delivery!;
  const lost = Object.values(books.dropped).reduce((sum, count) => sum + count, 0);
  return {
    events: books.delivered,
    events_per_s: Math.round(books.delivered / elapsed_s),
    p50_ms: p50LatencyMs,
    p95_ms: p95LatencyMs,
    p99_ms: p99LatencyMs,
    lost: lost + Math.abs(books.residual),
    saved: compressionSavings,
    cpu_share: cpu_us / 1e6 / elapsed_s,
  };
}

async function measured(run: (folder: string) => Promise<RunReport>): Promise<Delivered> {
  const folder = mkdtempSync(join(tmpdir(), "tapio-delivery-"));
  const before = process.cpuUsage();
  try {
    const report = await run(folder);
    const { user, system } = process.cpuUsage(before);
    return summary(report, user + system);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function onKernel(duration_s: number): Promise<Delivered> {
  const limits = { rate_limits: { per_program: { events_per_s: EVENTS_PER_S, burst: 1000 } } };
  return measured(async (folder) => {
    const load = spawn("nice", ["-n", "19", "dd", "if=/dev/zero", "of=/dev/null", "bs=1"], {
      stdio: "ignore",
    });
    try {
      return await runKernel({
        collectors: [COLLECTORS.get("syscall")!],
        sinks: [],
        config: configIn(folder, { collectors: ["syscall"], ...limits }),
        duration_s,
      });
    } finally {
      load.kill("SIGKILL");
    }
  });
}

function replayed(path: string, engine: string): Promise<Delivered> {
  return measured((folder) =>
    runSimulated({
      collectors: [...COLLECTORS.values()],
      source: { kind: "trace", path, duration_s: undefined },
      sinks: [],
      config: configIn(folder, {}),
      engine,
      cpus: 0,
      seed: 1,
      preemptionInterval: 0,
      progress: false,
    }),
  );
}

interface Replayed extends Delivered {
  readonly rounds_events_per_s: readonly number[];
}

/** What the round in the middle delivered. */
async function simulated(trace: string, rounds: number, engine: string): Promise<Replayed> {
  const folder = mkdtempSync(join(tmpdir(), "tapio-delivery-"));
  try {
    const repeated = join(folder, "repeated.trace");
    await repeatTrace(trace, repeated, ROUND_RECORDS);
    const all: Delivered[] = [];
    for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
      all.push(await replayed(repeated, engine));
    }
    const counted = all.slice(WARM_UP_ROUNDS);
    const rates = counted.map(({ events_per_s }) => events_per_s);
    const lost = counted.reduce((sum, each) => sum + each.lost, 0);
    const events_per_s = Math.round(median(rates));
    return { ...middle(counted), events_per_s, lost, rounds_events_per_s: rates };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function middle(rounds: readonly Delivered[]): Delivered {
  const sorted = [...rounds].sort((left, right) => left.events_per_s - right.events_per_s);
  return sorted[sorted.length >> 1]!;
}

export const deliveryBench: Bench = {
  rounds: 6,
  async run({ rounds, trace = SAMPLE_TRACE, engine = DEFAULT_ENGINE }) {
    const missing = checkMachine().find(({ ok }) => !ok);
    const kernel = missing === undefined ? await onKernel(rounds * ROUND_S) : undefined;
    const wasm = await simulated(trace, rounds, engine);
    const shown = kernel ?? wasm;
    const { events_per_s, p95_ms, p99_ms, lost } = shown;
    return {
      delivery: { events_per_s, p95_ms, p99_ms, lost },
      ...(kernel === undefined ? { kernel_missing: missing!.name } : { kernel }),
      wasm,
      peak_memory_bytes: process.resourceUsage().maxRSS * 1024,
      method:
        "hook, ring, columnar blocks with zstd, write-ahead log (group sync), file with datasync a batch; latency from the event's time stamp to the log's acknowledgement; wasm: the recording, repeated, encoded in threads, median of the rounds; virtual time stamps, so only its rate counts",
      machine: machine(),
    };
  },
};
