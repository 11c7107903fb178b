/**
 * Events from hook to acknowledgement: columnar encoding, the write-ahead log, a file sink. On a real kernel at 100,000
 * events/s (a rate limit holds `dd` at that), where there is one; and as fast as it goes on the wasm backend.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, configSchema } from "#core/config/config.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import { checkMachine } from "#kernel/probes.ts";
import { runKernel } from "../cli/run/kernel.ts";
import type { RunReport } from "../cli/run/report.ts";
import { runSimulated } from "../cli/run/simulated.ts";
import { type Bench, machine } from "./bench.ts";

const EVENTS_PER_S = 100_000;
/** Seconds of a round on the kernel; six rounds make the minute. */
const ROUND_S = 10;
const SIMULATED_S = 20;

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

function simulated(duration_s: number): Promise<Delivered> {
  return measured((folder) =>
    runSimulated({
      collectors: [...COLLECTORS.values()],
      source: { kind: "workload", name: "default", duration_s },
      sinks: [],
      config: configIn(folder, {}),
      engine: "aot",
      cpus: 2,
      seed: 1,
      preemptionInterval: 0,
      progress: false,
    }),
  );
}

export const deliveryBench: Bench = {
  rounds: 6,
  async run({ rounds }) {
    const missing = checkMachine().find(({ ok }) => !ok);
    const kernel = missing === undefined ? await onKernel(rounds * ROUND_S) : undefined;
    const wasm = await simulated(SIMULATED_S);
    const shown = kernel ?? wasm;
    const { events_per_s, p95_ms, p99_ms, lost } = shown;
    return {
      delivery: { events_per_s, p95_ms, p99_ms, lost },
      ...(kernel === undefined ? { kernel_missing: missing!.name } : { kernel }),
      wasm,
      peak_memory_bytes: process.resourceUsage().maxRSS * 1024,
      method:
        "hook, ring, columnar blocks with zstd, write-ahead log (group sync), file with datasync a batch; latency from the event's time stamp to the log's acknowledgement; wasm: virtual time stamps, so only its rate counts",
      machine: machine(),
    };
  },
};
