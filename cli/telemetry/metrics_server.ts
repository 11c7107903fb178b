/**
 * Metrics and health over HTTP: `/metrics` for Prometheus, `/metrics/report` with the original report's own
 * names, `/healthz` (the process answers) and `/readyz` (the run can be trusted).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BpfError } from "#core/errors.ts";
import type { HealthReport } from "#core/telemetry/health.ts";
import { CONTENT_TYPE } from "#core/telemetry/prometheus_text.ts";

export interface MetricsSource {
  /** Exposition of the metrics; with the report's own names where `compatible`. */
  metrics(compatible: boolean): string;
  health(): HealthReport;
}

const JSON_TYPE = "application/json";
const CONNECTIONS_MAX = 64;
const REQUEST_TIMEOUT_MS = 10_000;

export interface Address {
  readonly host: string;
  readonly port: number;
}

export class MetricsServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Throws `BpfError` where the address cannot be had. */
  static async listen({ host, port }: Address, source: MetricsSource): Promise<MetricsServer> {
    const server = createServer((request, response) => answer(source, request, response));
    server.maxConnections = CONNECTIONS_MAX;
    server.requestTimeout = REQUEST_TIMEOUT_MS;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    }).catch((cause: Error) => {
      throw new BpfError(`listen at ${host}:${port}`, cause.message, {
        hint: "give --metrics a free port of this machine",
        cause,
      });
    });
    server.on("error", () => {});
    return new MetricsServer(server);
  }

  /** The port it listens at, which is another one where 0 was asked for. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

function answer(source: MetricsSource, request: IncomingMessage, response: ServerResponse): void {
  try {
    const [status, type, body] = respond(source, request);
    response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store" });
    response.end(request.method === "HEAD" ? undefined : body);
  } catch (error) {
    response.writeHead(500, { "Content-Type": "text/plain" });
    response.end(`${(error as Error).message}\n`);
  }
}

function respond(
  source: MetricsSource,
  request: IncomingMessage,
): readonly [status: number, type: string, body: string] {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return [405, "text/plain", "only GET and HEAD\n"];
  }
  const path = (request.url ?? "/").split("?")[0];
  switch (path) {
    case "/metrics":
      return [200, CONTENT_TYPE, source.metrics(false)];
    case "/metrics/report":
      return [200, CONTENT_TYPE, source.metrics(true)];
    case "/healthz":
      return [200, "text/plain", "ok\n"];
    case "/readyz": {
      const report = source.health();
      return [report.state === "failing" ? 503 : 200, JSON_TYPE, `${JSON.stringify(report)}\n`];
    }
    default:
      return [404, "text/plain", "there are /metrics, /metrics/report, /healthz and /readyz\n"];
  }
}
