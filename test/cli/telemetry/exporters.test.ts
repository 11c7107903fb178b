/** Receivers of metrics that are good, down, slow or refusing: none costs an event. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { RunReport } from "#cli/run/report.ts";
import { serveHttp } from "../../support/http_receiver.ts";
import { ended, startRun } from "../../support/run_process.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-exporters-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Receiver {
  readonly url: string;
  readonly bodies: Buffer[];
  /** Requests that were under way at once, at most. */
  atOnce: number;
}

async function receiver(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
): Promise<Receiver> {
  let open = 0;
  const state = { url: "", bodies: [] as Buffer[], atOnce: 0 };
  const address = await serveHttp((request, response) => {
    state.atOnce = Math.max(state.atOnce, ++open);
    response.on("close", () => open--);
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      state.bodies.push(Buffer.concat(chunks));
      answer(response, request);
    });
  });
  state.url = `${address}/v1/metrics`;
  return state;
}

/** A run of two seconds that exports ten times a second; returns its report. */
async function runWith(endpoint: string): Promise<RunReport> {
  const config = join(folder, "tapio.yaml");
  const otlp = `{ endpoint: "${endpoint}", interval_s: 0.1, timeout_ms: 100 }`;
  writeFileSync(config, `telemetry:\n  interval_s: 0.1\n  otlp: ${otlp}\n`);
  const run = startRun(["--config", config, "--workload", "default", "--duration", "2"]);
  expect(await ended(run), run.output.error).toBe(0);
  return JSON.parse(run.output.out) as RunReport;
}

function expectNothingLost({ books }: RunReport): void {
  expect(books.seen).toBeGreaterThan(1000);
  expect(books).toMatchObject({ delivered: books.seen, residual: 0, in_flight: 0 });
}

describe("metrics over OTLP", () => {
  it("reach a receiver as protobuf, with the names of the instruments", async () => {
    const good = await receiver((response) => response.end());
    expectNothingLost(await runWith(good.url));
    expect(good.bodies.length).toBeGreaterThan(3);
    const text = good.bodies.at(-1)!.toString("latin1");
    for (const name of ["bpf.events.processed", "bpf.ring_buffer.utilization", "tapio-bpf"]) {
      expect(text).toContain(name);
    }
  });

  it.each([429, 503])("that answers %i costs nothing but the metrics", async (status) => {
    const refusing = await receiver((response) => {
      response.writeHead(status, { "Retry-After": "1" });
      response.end();
    });
    expectNothingLost(await runWith(refusing.url));
    expect(refusing.bodies.length).toBeGreaterThan(0);
    expect(refusing.atOnce).toBe(1);
  });

  it("that never answers keeps one request waiting, not a queue", async () => {
    const silent = await receiver(() => {});
    expectNothingLost(await runWith(silent.url));
    expect(silent.atOnce).toBeLessThanOrEqual(2);
  });

  it("to where nobody listens goes on without", async () => {
    expectNothingLost(await runWith("http://127.0.0.1:9/v1/metrics"));
  });
});
