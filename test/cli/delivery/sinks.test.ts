/** Whole runs into sinks that are good, down, slow, refusing, breaking off; and a log between. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { zstdCodec } from "#cli/batching/zstd_codec.ts";
import type { RunReport } from "#cli/run/report.ts";
import { retryAfter_ms } from "#cli/sinks/otlp_sink.ts";
import { readColumnarFile } from "#core/batching/encoding/columnar_file.ts";
import { serveHttp } from "../../support/http_receiver.ts";
import { ended, startRun } from "../../support/run_process.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-sinks-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(config: string, expected = 0): Promise<RunReport> {
  const path = join(folder, "tapio.yaml");
  writeFileSync(path, config);
  const child = startRun([
    "--config",
    path,
    "--duration",
    "0.5",
    "--pace",
    "max",
    "--workload",
    "default",
  ]);
  expect(await ended(child), child.output.error).toBe(expected);
  return JSON.parse(child.output.out) as RunReport;
}

interface Receiver {
  readonly url: string;
  /** Log records in requests that were answered well. */
  records: number;
  requests: number;
}

/** Counts log records by the name that each has. */
async function receiver(
  answer: (response: ServerResponse, request: number) => number,
): Promise<Receiver> {
  const state = { url: "", records: 0, requests: 0 };
  const address = await serveHttp((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      state.requests += 1;
      const status = answer(response, state.requests);
      if (status < 200 || status > 299) return;
      const body = Buffer.concat(chunks);
      const plain = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
      state.records += plain.toString("latin1").split("sampling.threshold").length - 1;
    });
  });
  state.url = `${address}/v1/logs`;
  return state;
}

const ok = (response: ServerResponse): number => {
  response.end();
  return 200;
};

describe("sinks", () => {
  it("files: columnar ones hold every event, byte for byte; lines one each", async () => {
    const out = join(folder, "columnar");
    const lines = join(folder, "lines");
    const report = await run(
      `sinks:\n  - { type: file, path: ${out}, max_bytes: 100000 }\n` +
        `  - { type: file, path: ${lines}, format: ndjson }\n`,
    );
    expect(report.books).toMatchObject({ residual: 0, in_flight: 0, delivered: report.books.seen });
    let records = 0;
    const files = readdirSync(out);
    expect(files.length).toBeGreaterThan(2);
    for (const name of files) {
      expect(name).toMatch(/\.tapio$/);
      const file = readColumnarFile(new Uint8Array(readFileSync(join(out, name))), [zstdCodec()]);
      for (const { count } of file.batches) records += count;
    }
    expect(records).toBe(report.books.delivered);
    const text = readdirSync(lines).map((name) => readFileSync(join(lines, name), "utf8"));
    const events = text.join("").trimEnd().split("\n");
    expect(events.length).toBe(report.books.delivered);
    expect(JSON.parse(events[0]!)).toHaveProperty("event");
  });

  it("OTLP: every event is a log record, compressed", async () => {
    const good = await receiver(ok);
    const { books } = await run(`sinks: [{ type: otlp, endpoint: "${good.url}" }]\n`);
    expect(books).toMatchObject({ residual: 0, delivered: books.seen });
    expect(good.records).toBe(books.seen);
  });

  it.each([
    [429, "busy"],
    [503, "down"],
  ])("OTLP: %i now and then costs nothing but time", async (status) => {
    const shaky = await receiver((response, request) => {
      response.statusCode = request % 3 === 0 ? status : 200;
      response.end();
      return response.statusCode;
    });
    const { books } = await run(
      `sinks: [{ type: otlp, endpoint: "${shaky.url}", compression: none }]\n` +
        "batching: { retry_backoff_ms: 5, max_retries: 20 }\n",
    );
    expect(books).toMatchObject({ residual: 0, delivered: books.seen });
    expect(shaky.records).toBe(books.seen);
  });

  it("OTLP: an answer that breaks off is no acknowledgement; the batch comes again", async () => {
    const breaking = await receiver((response, request) => {
      if (request % 4 !== 0) return ok(response);
      response.writeHead(200, { "Content-Length": "100" });
      response.write("x");
      setTimeout(() => response.destroy(), 5);
      return 0;
    });
    const { books } = await run(
      `sinks: [{ type: otlp, endpoint: "${breaking.url}", compression: none }]\n` +
        "batching: { retry_backoff_ms: 5, max_retries: 20 }\n",
    );
    expect(books).toMatchObject({ residual: 0, delivered: books.seen });
    expect(breaking.records).toBe(books.seen);
  });

  it("OTLP: what is refused for good is counted, and the books say so", async () => {
    const refusing = await receiver((response) => {
      response.statusCode = 400;
      response.end();
      return 400;
    });
    const { books } = await run(`sinks: [{ type: otlp, endpoint: "${refusing.url}" }]\n`);
    expect(books).toMatchObject({ residual: 0, delivered: 0 });
    expect(books.dropped).toMatchObject({ sink_rejected: books.seen });
  });

  it("a sink that is down: with a log nothing is lost, and the next run sends it", async () => {
    const log = `log: { enabled: true, path: ${join(folder, "log")} }\n`;
    let isDown = true;
    const sink = await receiver((response) => {
      if (!isDown) return ok(response);
      response.statusCode = 503;
      response.end();
      return 503;
    });
    // The same endpoint is the same sink: it goes on where it left off.
    const config = `sinks: [{ type: otlp, endpoint: "${sink.url}", compression: none }]\n${log}`;
    const batching = "batching: { shutdown_timeout_ms: 1000, retry_backoff_ms: 5 }\n";
    const down = await run(config + batching);
    expect(down.books).toMatchObject({ residual: 0, delivered: down.books.seen });
    expect(sink.records).toBe(0);
    isDown = false;
    const next = await run(config);
    expect(next.books).toMatchObject({ residual: 0, delivered: next.books.seen });
    expect(sink.records).toBe(down.books.seen + next.books.seen);
  });

  it("OTLP: what the log had taken and the sink then refused for good is counted on its own", async () => {
    const refusing = await receiver((response) => {
      response.statusCode = 400;
      response.end();
      return 400;
    });
    const log = `log: { enabled: true, path: ${join(folder, "refused")} }\n`;
    const { books, delivery } = await run(
      `sinks: [{ type: otlp, endpoint: "${refusing.url}" }]\n${log}`,
    );
    expect(books).toMatchObject({ residual: 0, delivered: books.seen });
    expect(delivery).toMatchObject({ eventsDropped: 0, eventsRefusedLater: books.seen });
  });
});

describe("Retry-After", () => {
  it("is seconds or a date, within bounds", () => {
    expect(retryAfter_ms("2", 0)).toBe(2000);
    expect(retryAfter_ms("Thu, 01 Jan 1970 00:00:05 GMT", 1000)).toBe(4000);
    expect(retryAfter_ms("soon", 0)).toBeUndefined();
    expect(retryAfter_ms("-1", 0)).toBeUndefined();
    expect(retryAfter_ms(null, 0)).toBeUndefined();
    expect(retryAfter_ms("999999", 0)).toBe(300_000);
  });
});
