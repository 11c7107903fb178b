/** Batches of OpenTelemetry log records over HTTP. */
import { hostname } from "node:os";
import { promisify } from "node:util";
import { gzip, zstdCompress } from "node:zlib";
import type { BatchSink, EncodedBatch, SendResult } from "#core/batching/batch_sink.ts";
import type { SinkConfig } from "#core/batching/sink_config.ts";

type OtlpConfig = Extract<SinkConfig, { type: "otlp" }>;

const COMPRESS = {
  gzip: promisify(gzip) as (bytes: Uint8Array) => Promise<Uint8Array>,
  zstd: promisify(zstdCompress) as (bytes: Uint8Array) => Promise<Uint8Array>,
  none: (bytes: Uint8Array) => Promise.resolve(bytes),
};

/** Answers after which the same request may go through; the specification names these four. */
const RETRYABLE = new Set([429, 502, 503, 504]);
const RETRY_AFTER_MAX_MS = 300_000;

/**
 * The dedupe key as a request says it (draft-ietf-httpapi-idempotency-key-header), the same however often and by whichever
 * process the batch is sent. Without a log there is none: sequences begin again with every process.
 */
function keyHeader({ collector, segment, sequence }: EncodedBatch): Record<string, string> {
  if (segment === 0) return {};
  return { "Idempotency-Key": `"${hostname()}/${collector}/${segment}/${sequence}"` };
}

/** `Retry-After` in milliseconds: seconds, or a date. */
export function retryAfter_ms(header: string | null, now_ms: number): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  const wait_ms = Number.isFinite(seconds) ? 1000 * seconds : Date.parse(header) - now_ms;
  return Number.isFinite(wait_ms) && wait_ms >= 0
    ? Math.min(RETRY_AFTER_MAX_MS, wait_ms)
    : undefined;
}

export class OtlpSink implements BatchSink {
  readonly name: string;
  readonly encoding = "otlp_logs";
  readonly maxInFlight: number;
  readonly #config: OtlpConfig;

  constructor(config: OtlpConfig) {
    this.name = `otlp:${config.endpoint}`;
    this.maxInFlight = config.max_in_flight;
    this.#config = config;
  }

  async send(batch: EncodedBatch, signal: AbortSignal): Promise<SendResult> {
    const { endpoint, compression, timeout_ms, headers } = this.#config;
    const encoding = compression === "none" ? {} : { "Content-Encoding": compression };
    try {
      const response = await fetch(endpoint, {
        method: "POST",
        body: (await COMPRESS[compression](batch.bytes)) as Uint8Array<ArrayBuffer>,
        headers: {
          ...keyHeader(batch),
          ...headers,
          "Content-Type": "application/x-protobuf",
          ...encoding,
        },
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeout_ms)]),
      });
      // Read to the end: a body that breaks off is no acknowledgement.
      await response.arrayBuffer();
      return this.#result(response);
    } catch (error) {
      const { message, cause } = error as Error & { cause?: Error };
      return { outcome: "retry_after", reason: `${this.name}: ${cause?.message ?? message}` };
    }
  }

  #result(response: Response): SendResult {
    const { status } = response;
    if (response.ok) return { outcome: "accepted" };
    const reason = `${this.name}: HTTP ${status}`;
    if (!RETRYABLE.has(status)) return { outcome: "rejected", reason };
    const after_ms = retryAfter_ms(response.headers.get("Retry-After"), Date.now());
    return { outcome: "retry_after", reason, ...(after_ms === undefined ? {} : { after_ms }) };
  }

  /** Connections belong to the process. */
  async close(): Promise<void> {}
}
