/** What a run says that its sampled events stand for, against the exact counts beside it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { RunReport } from "#cli/run/report.ts";
import { tapio } from "../../support/tapio.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-estimates-"));
afterAll(() => rmSync(folder, { recursive: true }));

function report(config: string): RunReport {
  const path = join(folder, "tapio.yaml");
  writeFileSync(path, config);
  const options = ["--config", path, "--collector", "syscall", "--pace", "max", "--seed", "5"];
  const run = tapio(["run", ...options, "--duration", "0.5", "-o", "json"]);
  expect(run).toMatchObject({ status: 0, error: "" });
  return JSON.parse(run.out) as RunReport;
}

it("holds what there was, with the longest latency that was left out in mind", () => {
  const { books, estimates } = report("sampling: { strategy: uniform, base_rate: 0.005 }\n");
  const { count, latency_ns, latency_quantiles_ns, anytime } = estimates!["syscall"]!;
  const deviation = Math.sqrt(books.seen * 199);
  expect(Math.abs(count.value - books.seen)).toBeLessThan(6 * deviation);
  expect(anytime!.lower).toBeLessThanOrEqual(books.seen);
  expect(anytime!.upper).toBeGreaterThanOrEqual(books.seen);
  expect(count.reasons).toEqual([]);
  // Of the 22,000 calls of this workload a few take a thousand times as long as most.
  expect(latency_ns!.reasons).toContain("maximum_missed");
  expect(latency_ns!.warning).toMatch(/largest value/);
  // Some 110 events: enough for a p95, not for a p99.
  expect(latency_quantiles_ns!.p95.reasons).toEqual([]);
  expect(latency_quantiles_ns!.p99.reasons).toEqual(["beyond_sample"]);
});

it("tells quantiles of the latency", () => {
  const { estimates } = report("sampling: { strategy: uniform, base_rate: 0.1 }\n");
  const { p50, p95, p99 } = estimates!["syscall"]!.latency_quantiles_ns!;
  expect([p50, p95, p99].map(({ reasons }) => reasons)).toEqual([[], [], []]);
  // All there is to know, from a run that keeps everything and begins to estimate all the same.
  const all = report("sampling: { strategy: uniform, base_rate: 1 }\n").estimates!["syscall"]!;
  for (const [name, { lower, upper }] of Object.entries({ p50, p95, p99 })) {
    const exact = all.latency_quantiles_ns![name as "p50"];
    expect(lower).toBeLessThanOrEqual(exact.upper);
    expect(upper).toBeGreaterThanOrEqual(exact.lower);
  }
});

it("knows of connections and threads that one is one draw", () => {
  const { books, estimates } = report(
    "sampling: { strategy: uniform, base_rate: 0.3, consistent: true }\n",
  );
  const { count, anytime } = estimates!["syscall"]!;
  expect(count.lower).toBeLessThan(books.seen);
  expect(count.upper).toBeGreaterThan(books.seen);
  // A handful of threads, each with thousands of calls.
  expect(count.effectiveSize).toBeLessThan(100);
  expect(count.reasons).toEqual(["few_events"]);
  expect(anytime).toBeUndefined();
});

it("flags losses after sampling", () => {
  const { books, estimates } = report(
    "sampling: { strategy: uniform, base_rate: 0.9 }\nrings: { bytes: 4096, reserved_share: 0 }\n",
  );
  expect(books.dropped["ring_full"]).toBeGreaterThan(0);
  expect(estimates!["syscall"]!.count.reasons).toEqual(["losses"]);
});

it("is not there where nothing is sampled, and neither is a sample of fixed size", () => {
  const { estimates, reservoirs } = report("sampling: { strategy: none }\n");
  expect([estimates, reservoirs]).toEqual([undefined, undefined]);
});
