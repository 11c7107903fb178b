/** An exporter that remembers how its exports went. */
import type {
  AggregationTemporality,
  InstrumentType,
  PushMetricExporter,
  ResourceMetrics,
} from "@opentelemetry/sdk-metrics";

type Done = Parameters<PushMetricExporter["export"]>[1];

/** `ExportResultCode.SUCCESS`. */
const SUCCESS = 0;

export class CountingExporter implements PushMetricExporter {
  readonly #inner: PushMetricExporter;
  /** Since the last one that went well. */
  failuresInARow = 0;
  failures = 0;
  successes = 0;

  constructor(inner: PushMetricExporter) {
    this.#inner = inner;
  }

  export(metrics: ResourceMetrics, done: Done): void {
    this.#inner.export(metrics, (result) => {
      if (result.code === SUCCESS) {
        this.successes += 1;
        this.failuresInARow = 0;
      } else {
        this.failures += 1;
        this.failuresInARow += 1;
      }
      done(result);
    });
  }

  selectAggregationTemporality(type: InstrumentType): AggregationTemporality {
    return this.#inner.selectAggregationTemporality!(type);
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }
}
