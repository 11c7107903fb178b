/** Readers that collect on a timer and export: OTLP over HTTP, and the console. */
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import type { Resource } from "@opentelemetry/resources";
import {
  ConsoleMetricExporter,
  MeterProvider,
  type MetricProducer,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from "@opentelemetry/sdk-metrics";
import type { TelemetryConfig } from "#core/telemetry/telemetry_config.ts";
import { CountingExporter } from "./counting_exporter.ts";

/** How long exports that are under way may take when the run ends. */
const SHUTDOWN_MS = 5000;

/** What is exported to, by name. */
export class MetricReaders {
  readonly exporters = new Map<string, CountingExporter>();
  readonly #providers: MeterProvider[] = [];

  constructor(config: TelemetryConfig, producer: MetricProducer, resource: Resource) {
    const { otlp } = config;
    if (otlp !== undefined) {
      const { endpoint: url, headers, timeout_ms: timeoutMillis } = otlp;
      // One export at a time: a receiver that is slow makes metrics rarer, and nothing grow.
      const exporter = new OTLPMetricExporter({ url, headers, timeoutMillis, concurrencyLimit: 1 });
      this.#add("otlp", exporter, otlp.interval_s, timeoutMillis, producer, resource);
    }
    if (config.console) {
      const { interval_s } = config;
      this.#add("console", new StandardErrorExporter(), interval_s, 1000, producer, resource);
    }
  }

  #add(
    name: string,
    inner: PushMetricExporter,
    interval_s: number,
    timeout_ms: number,
    producer: MetricProducer,
    resource: Resource,
  ): void {
    const exporter = new CountingExporter(inner);
    const exportIntervalMillis = interval_s * 1000;
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis,
      exportTimeoutMillis: Math.min(timeout_ms, exportIntervalMillis),
      metricProducers: [producer],
    });
    this.exporters.set(name, exporter);
    this.#providers.push(new MeterProvider({ resource, readers: [reader] }));
  }

  /** Exports a last time, as far as receivers answer in time. */
  async close(): Promise<void> {
    for (const provider of this.#providers.splice(0)) {
      await provider.shutdown({ timeoutMillis: SHUTDOWN_MS }).catch(() => undefined);
    }
  }
}

/** Standard output belongs to the command. */
class StandardErrorExporter extends ConsoleMetricExporter {
  override export(...args: Parameters<ConsoleMetricExporter["export"]>): void {
    const [metrics, done] = args;
    for (const { metrics: list } of metrics.scopeMetrics) {
      for (const { descriptor, dataPoints } of list) {
        for (const { attributes, value } of dataPoints) {
          console.error(JSON.stringify({ name: descriptor.name, attributes, value }));
        }
      }
    }
    done({ code: 0 });
  }
}
