/** Sampling of a run in progress, as its user changes it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it, vi } from "vitest";
import { connectControl } from "#cli/daemon/control_client.ts";
import type { RunReport } from "#cli/run/report.ts";
import type { SamplingStatistics } from "#core/sampling/sampling_manager.ts";
import {
  epochOfWord,
  isKept,
  rateFromThreshold,
  thresholdOfWord,
} from "#core/sampling/threshold.ts";
import { endRun, type RunProcess, startRun } from "../../support/run_process.ts";
import { tapio } from "../../support/tapio.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-sample-"));
const socket = join(folder, "run.sock");
const runs: RunProcess[] = [];
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  for (const run of runs.splice(0)) await endRun(run);
});

const events = async (atLeast: number): Promise<SamplingStatistics> =>
  vi.waitFor(
    async () => {
      const client = await connectControl(socket);
      const statistics = (await client.call("sampling.show")) as SamplingStatistics;
      client.close();
      expect(statistics.totalEvents).toBeGreaterThan(atLeast);
      return statistics;
    },
    { timeout: 30_000, interval: 100 },
  );

it("changes as one epoch; every kept event says with what probability", async () => {
  const config = join(folder, "tapio.yaml");
  const file = join(folder, "events.ndjson");
  writeFileSync(config, "sampling: { strategy: uniform, base_rate: 0.5 }\n");
  const run = startRun([
    "--config",
    config,
    "--socket",
    socket,
    "--sink",
    `ndjson:${file}`,
    "--metrics",
    "0",
  ]);
  runs.push(run);
  const before = await events(5000);
  const port = /metrics at 127\.0\.0\.1:(\d+)/.exec(run.output.error)![1];
  const set = tapio([
    "sample",
    "set",
    "--rate",
    "0.01",
    "--type",
    "tcp_state=1",
    "--socket",
    socket,
  ]);
  expect(set).toMatchObject({ status: 0, error: "" });
  await events(before.totalEvents + 20_000);
  const exposition = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const value = (name: string) =>
    Number(
      new RegExp(`^bpf_event_${name}\\{event_type="syscall"\\} (\\S+)$`, "m").exec(exposition)![1],
    );
  expect(value("estimate_lower")).toBeLessThan(value("estimate"));
  expect(value("estimate_upper")).toBeGreaterThan(value("estimate"));
  const refused = tapio(["sample", "set", "--type", "dns=0.5", "--socket", socket]);
  expect(refused.status).toBe(1);
  expect(refused.error).toMatch(/event_type_rates\.dns.*no such event type.*tcp_state/);
  expect(tapio(["sample", "set", "--rate", "2", "--socket", socket]).status).toBe(2);
  expect(tapio(["sample", "set"]).status).toBe(2);
  expect(await endRun(run)).toBe(0);

  const { books } = JSON.parse(run.output.out) as RunReport;
  expect(books).toMatchObject({ residual: 0, in_flight: 0 });
  const rates = new Map<string, number>();
  let estimate = 0;
  for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
    const { event, sampling, randomness } = JSON.parse(line) as Record<string, string>;
    const word = BigInt(sampling!);
    expect(isKept(BigInt(randomness!), thresholdOfWord(word))).toBe(true);
    const rate = rateFromThreshold(thresholdOfWord(word));
    rates.set(`${epochOfWord(word)} ${event}`, rate);
    estimate += 1 / rate;
  }
  expect(Object.fromEntries(rates)).toMatchObject({
    "1 syscall": 0.5,
    "1 tcp_state": 0.5,
    "2 tcp_state": 1,
  });
  expect(rates.get("2 syscall")).toBeCloseTo(0.01, 9);
  // Horvitz-Thompson: the variance of n events at rate p is n (1 - p) / p.
  const deviation = Math.sqrt(books.seen * 99);
  expect(Math.abs(estimate - books.seen)).toBeLessThan(5 * deviation);
});
