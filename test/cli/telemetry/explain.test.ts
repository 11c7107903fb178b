/** `stats` and `explain` on runs that lose events, and what comes of following their advice. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { connectControl } from "#cli/daemon/control_client.ts";
import type { Explanation, StatisticsReport } from "#cli/run/parts/telemetry.ts";
import { endRun, type RunProcess, startRun } from "../../support/run_process.ts";
import { tapio } from "../../support/tapio.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-explain-"));
const socket = join(folder, "run.sock");
const runs: RunProcess[] = [];
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  for (const run of runs.splice(0)) await endRun(run);
});

/** A run with rings of that size, far enough for rings of a page to have overflowed. */
async function explained(ringBytes: number): Promise<Explanation> {
  const config = join(folder, "tapio.yaml");
  writeFileSync(
    config,
    `rings: { bytes: ${ringBytes}, reserved_share: 0 }\ntelemetry: { interval_s: 0.2 }\n`,
  );
  const run = startRun(["--config", config, "--socket", socket, "--workload", "default"]);
  runs.push(run);
  return vi.waitFor(
    async () => {
      const client = await connectControl(socket);
      try {
        const answer = (await client.call("stats.explain", { target_loss: 0 })) as Explanation;
        expect(answer.seen).toBeGreaterThan(50_000);
        return answer;
      } finally {
        client.close();
      }
    },
    { timeout: 30_000, interval: 200 },
  );
}

describe("explain", () => {
  it("names the ring where it is too small, and a size that loses nothing", async () => {
    const small = await explained(4096);
    const [step] = small.steps;
    expect(step).toMatchObject({ reason: "ring_full", knob: "rings.bytes", wanted: false });
    expect(small.residual).toBe(0);
    expect(small.delivered + small.in_flight + step!.count).toBe(small.seen);

    const shown = tapio(["explain", "--target-loss", "0", "--socket", socket]);
    expect(shown).toMatchObject({ status: 0, error: "" });
    expect(shown.out).toMatch(/ring_full \(loss\): rings\.bytes: make the ring larger/);
    const stats = tapio(["stats", "-o", "json", "--socket", socket]);
    expect(stats.status).toBe(1);
    const { health } = JSON.parse(stats.out) as StatisticsReport;
    expect(health.state).toBe("failing");
    expect(health.reasons.some(({ problem }) => /events were lost/.test(problem))).toBe(true);
    await endRun(runs.pop()!);

    const advised = Math.max(...small.rings.map(({ advised_bytes }) => advised_bytes));
    expect(advised).toBeGreaterThan(4096);
    const large = await explained(advised);
    expect(large.steps).toEqual([]);
    expect(tapio(["stats", "--socket", socket])).toMatchObject({ status: 0, error: "" });
  });

  it("refuses a target that is no share", () => {
    expect(tapio(["explain", "--target-loss", "2"])).toMatchObject({ status: 2 });
  });
});
