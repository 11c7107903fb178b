/** `tapio-bpf top` on a run in progress. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { connectControl } from "#cli/daemon/control_client.ts";
import type { ProgramRates } from "#core/telemetry/program_rates.ts";
import { endRun, startRun } from "../../support/run_process.ts";
import { tapio } from "../../support/tapio.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-top-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("top", () => {
  it("ranks programs by their events per second, frame by frame", async () => {
    const socket = join(folder, "run.sock");
    const run = startRun(["--socket", socket, "--workload", "default", "--pace", "1"]);
    const reached = async () => (await connectControl(socket)).close();
    await vi.waitFor(reached, { timeout: 20_000, interval: 50 });
    const frames = ["--frames", "2", "--interval", "0.5", "--socket", socket];
    const top = tapio(["top", "-o", "json", ...frames]);
    const table = tapio(["top", ...frames]);
    await endRun(run);

    expect(top).toMatchObject({ status: 0, error: "" });
    const lines = top.out.trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      const { programs } = JSON.parse(line) as { programs: ProgramRates[] };
      expect(programs[0]!.seen).toBeGreaterThan(0);
      expect(programs.map(({ seen }) => seen)).toEqual(
        programs.map(({ seen }) => seen).sort((a, b) => b - a),
      );
    }
    expect(table.out).toMatch(/^the run is \w+$[\s\S]*program +seen\/s/m);
  });

  it.each([
    [["--sort", "colour"], /--sort colour: programs are ranked by seen, delivered, dropped, cpu/],
    [["--frames", "0"], /--frames 0: give a whole number from 1 /],
    [["--interval", "0"], /--interval 0: give a number of seconds above 0/],
  ])("refuses %j", (args, message) => {
    const { status, error } = tapio(["top", ...args]);
    expect(status).toBe(2);
    expect(error).toMatch(message);
  });
});
