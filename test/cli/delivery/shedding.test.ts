/** A run whose source does not wait, before a sink that takes a quarter of it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { type ControlClient, connectControl } from "#cli/daemon/control_client.ts";
import type { Explanation } from "#cli/run/parts/telemetry.ts";
import type { RunReport } from "#cli/run/report.ts";
import { endRun, startRun } from "../../support/run_process.ts";
import { tapio } from "../../support/tapio.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-shedding-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Answers after `delay_ms`. */
async function slowReceiver(state: { delay_ms: number }): Promise<[Server, string]> {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => setTimeout(() => response.end(), state.delay_ms));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return [server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`];
}

async function explanation(client: ControlClient): Promise<Explanation> {
  return (await client.call("stats.explain", {})) as Explanation;
}

it("samples more instead of dropping, says so, and comes back when the sink is fast again", async () => {
  const state = { delay_ms: 400 };
  const [server, endpoint] = await slowReceiver(state);
  const config = join(folder, "tapio.yaml");
  const socket = join(folder, "run.sock");
  writeFileSync(
    config,
    `sinks: [{ type: otlp, endpoint: "${endpoint}", max_in_flight: 1 }]\n` +
      "batching: { max_batch_size: 500 }\nshedding: { min_multiplier: 0.2 }\n" +
      "sampling: { strategy: uniform, base_rate: 0.1 }\n",
  );
  const run = startRun(["--config", config, "--socket", socket, "--workload", "default"]);
  const client = await vi.waitFor(() => connectControl(socket), { timeout: 20_000 });
  try {
    const wait = { timeout: 60_000, interval: 100 };
    await vi.waitFor(
      async () => expect((await explanation(client)).shed_multiplier).toBeLessThan(0.5),
      wait,
    );
    expect(tapio(["explain", "--socket", socket]).out).toMatch(/load is shed: ordinary events/);
    expect(tapio(["stats", "--socket", socket]).out).toMatch(/degraded: load is shed/);
    const { shed_multiplier } = await explanation(client);
    state.delay_ms = 0;
    await vi.waitFor(
      async () =>
        expect((await explanation(client)).shed_multiplier).toBeGreaterThan(1.2 * shed_multiplier),
      wait,
    );
  } finally {
    client.close();
    await endRun(run);
    server.close();
  }
  const { books } = JSON.parse(run.output.out) as RunReport;
  expect(books).toMatchObject({ residual: 0, in_flight: 0 });
  expect(books.sampled_out).toBeGreaterThan(0);
  expect(Object.values(books.dropped).reduce((sum, count) => sum + count, 0)).toBe(0);
});
