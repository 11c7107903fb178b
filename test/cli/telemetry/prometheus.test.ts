/** A real Prometheus and its linter on the metrics of a run. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { findExecutable } from "../../../scripts/install_tools.ts";
import { freePort } from "../../support/free_port.ts";
import { endRun, type RunProcess, startRun } from "../../support/run_process.ts";

/** What the report's monitoring section queries. */
const KEY_METRICS = [
  'bpf_programs_active{program_name="tcp_state"}',
  'bpf_events_processed_total{program_name="tcp_state"}',
  'bpf_events_dropped_total{program_name="tcp_state"}',
  'bpf_ring_buffer_utilization_ratio{program_name="tcp_state"}',
  "bpf_filter_hits_total",
  "bpf_average_batch_size",
  "bpf_sampling_rate",
  'bpf_processing_duration_ms_count{program_name="tcp_state"}',
];

const folder = mkdtempSync(join(tmpdir(), "tapio-prometheus-"));
const runs: RunProcess[] = [];
const children: ChildProcess[] = [];
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  for (const run of runs.splice(0)) await endRun(run);
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

async function text(url: string): Promise<string> {
  const response = await fetch(url);
  return response.text();
}

async function startServing(...args: readonly string[]): Promise<number> {
  const port = await freePort();
  runs.push(startRun(["--workload", "default", "--metrics", `127.0.0.1:${port}`, ...args]));
  await vi.waitFor(() => text(`http://127.0.0.1:${port}/healthz`), { timeout: 20_000 });
  return port;
}

/** The same where half of the events are left out. */
async function startSampling(): Promise<number> {
  const config = join(folder, "sampling.yaml");
  writeFileSync(config, "sampling: { strategy: uniform, base_rate: 0.5 }\n");
  return await startServing("--config", config, "--pace", "1");
}

/** Values of a metric's series, by their labels. */
function series(metrics: string, name: string): Map<string, number> {
  const lines = metrics.matchAll(new RegExp(`^${name}\\{(.*)\\} (\\S+)( \\d+)?$`, "gm"));
  return new Map([...lines].map(([, labels, value]) => [labels!, Number(value)]));
}

function startPrometheus(port: number, target: number): void {
  const jobs = ["/metrics", "/metrics/report"].map(
    (path, i) =>
      `  - { job_name: j${i}, metrics_path: ${path}, static_configs: [{ targets: ["127.0.0.1:${target}"] }] }`,
  );
  const config = join(folder, "prometheus.yml");
  writeFileSync(config, `global: { scrape_interval: 1s }\nscrape_configs:\n${jobs.join("\n")}\n`);
  const options = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  children.push(spawn("prometheus", options, { stdio: "ignore" }));
}

async function query(port: number, expression: string): Promise<number> {
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
  const answer = JSON.parse(await text(url)) as { data: { result: unknown[] } };
  return answer.data.result.length;
}

const missing = ["prometheus", "promtool"].find((name) => findExecutable(name) === undefined);

describe("metrics of a run over HTTP", () => {
  it("say that the process lives and the run is ready, and nothing else", async () => {
    const url = `http://127.0.0.1:${await startServing()}`;
    expect(await text(`${url}/healthz`)).toBe("ok\n");
    expect(JSON.parse(await text(`${url}/readyz`))).toEqual({ state: "healthy", reasons: [] });
    expect((await fetch(`${url}/other`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: "POST" })).status).toBe(405);
  });

  it("have estimates of latency quantiles, in order and in their bounds, where events are sampled", async () => {
    const url = `http://127.0.0.1:${await startSampling()}/metrics`;
    const name = "bpf_event_latency_quantile_estimate";
    const quantiles = await vi.waitFor(
      async () => {
        const metrics = await text(url);
        const of = (suffix: string, percentile: string) =>
          [...series(metrics, `${name}${suffix}_seconds`)].find(
            ([labels]) =>
              labels.includes('event_type="syscall"') &&
              labels.includes(`percentile="${percentile}"`),
          )?.[1] ?? Number.NaN;
        const found = ["p50", "p95", "p99"].map((percentile) => ({
          lower: of("_lower", percentile),
          value: of("", percentile),
          upper: of("_upper", percentile),
        }));
        for (const { lower, value, upper } of found) {
          expect(lower).toBeGreaterThan(0);
          expect(value).toBeGreaterThanOrEqual(lower);
          expect(upper).toBeGreaterThanOrEqual(value);
        }
        return found;
      },
      { timeout: 60_000, interval: 500 },
    );
    expect(quantiles[1]!.value).toBeGreaterThanOrEqual(quantiles[0]!.value);
    expect(quantiles[2]!.value).toBeGreaterThanOrEqual(quantiles[1]!.value);
  });

  if (missing !== undefined) {
    it.skip(`a real Prometheus: ${missing} is missing; install the package prometheus`, () => {});
    return;
  }

  it("are clean to promtool, and a real Prometheus finds the report's key metrics", async () => {
    const target = await startServing();
    for (const port of [target, await startSampling()]) {
      const input = await text(`http://127.0.0.1:${port}/metrics`);
      const lint = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
      expect({ status: lint.status, said: lint.stdout + lint.stderr }).toEqual({
        status: 0,
        said: "",
      });
    }
    const port = await freePort();
    startPrometheus(port, target);
    await vi.waitFor(
      async () => {
        for (const metric of KEY_METRICS) {
          expect({ metric, series: await query(port, metric) }).not.toMatchObject({ series: 0 });
        }
      },
      { timeout: 60_000, interval: 500 },
    );
  });
});
