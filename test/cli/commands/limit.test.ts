/** Rate limits of a run in progress, as its user changes them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it, vi } from "vitest";
import { connectControl } from "#cli/daemon/control_client.ts";
import type { RunReport } from "#cli/run/report.ts";
import { endRun, type RunProcess, startRun } from "../../support/run_process.ts";
import { tapio } from "../../support/tapio.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-limit-"));
const socket = join(folder, "run.sock");
const runs: RunProcess[] = [];
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  for (const run of runs.splice(0)) await endRun(run);
});

async function books(): Promise<RunReport["books"]> {
  const client = await connectControl(socket);
  try {
    return ((await client.call("run.report")) as RunReport).books;
  } finally {
    client.close();
  }
}

const until = (reached: (now: RunReport["books"]) => boolean) =>
  vi.waitFor(
    async () => {
      const now = await books();
      expect(reached(now)).toBe(true);
      return now;
    },
    { timeout: 30_000, interval: 100 },
  );

it("limits, shows, clears and refuses, while the books stay closed", async () => {
  const config = join(folder, "tapio.yaml");
  writeFileSync(config, "rate_limits: { per_program: { events_per_s: 1000, burst: 10 } }\n");
  const run = startRun(["--config", config, "--socket", socket]);
  runs.push(run);
  await until(({ rate_limited }) => rate_limited > 10_000);

  const set = tapio(["limit", "set", "pid", "100/5", "--socket", socket, "-o", "json"]);
  expect(set).toMatchObject({ status: 0, error: "" });
  expect(JSON.parse(set.out)).toEqual({
    per_program: { events_per_s: 1000, burst: 10 },
    per_pid: { events_per_s: 100, burst: 5 },
  });
  expect(tapio(["limit", "set", "user", "1", "--socket", socket]).status).toBe(2);
  expect(tapio(["limit", "set", "pid", "fast", "--socket", socket]).status).toBe(2);
  const refused = tapio(["limit", "set", "pid", "0", "--socket", socket]);
  expect(refused.status).toBe(2);
  expect(refused.error.split("\n")).toHaveLength(1);

  writeFileSync(config, "rate_limits: { per_program: { events_per_s: -1 } }\n");
  const reload = tapio(["reload", "--socket", socket]);
  expect(reload.status).toBe(1);
  expect(reload.error).toMatch(/tapio\.yaml:1: rate_limits\.per_program\.events_per_s/);
  expect(tapio(["limit", "ls", "--socket", socket]).out).toMatch(
    /per_pid\s+100 events\/s\s+burst 5/,
  );

  expect(tapio(["limit", "clear", "--socket", socket])).toMatchObject({ out: "no limits\n" });
  const cleared = await books();
  await until(({ seen }) => seen > cleared.seen + 20_000);
  const after = await books();
  const admitted = after.seen - after.rate_limited - (cleared.seen - cleared.rate_limited);
  expect(admitted).toBeGreaterThan(15_000);
  expect(await endRun(run)).toBe(0);
  const report = JSON.parse(run.output.out) as RunReport;
  expect(report.books).toMatchObject({ residual: 0, in_flight: 0 });
});
