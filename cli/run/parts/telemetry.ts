/** Statistics of a run: what is read from the kernel, exported as metrics, and judged as health. */
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { Config } from "#core/config/config.ts";
import { programOf } from "#core/events/collectors.ts";
import { addBooks, type Books, EMPTY_BOOKS } from "#core/pipeline/books.ts";
import type { LiveEstimate } from "#core/sampling/live_estimates.ts";
import type { BpfStatistics } from "#core/telemetry/bpf_statistics.ts";
import { BpfStatsCollector } from "#core/telemetry/bpf_stats_collector.ts";
import { explainBooks, unknownReasons, type Waterfall } from "#core/telemetry/explain.ts";
import { Health, type HealthReport } from "#core/telemetry/health.ts";
import type { Observe } from "#core/telemetry/instrument.ts";
import { STATISTICS } from "#core/telemetry/instruments/statistics.ts";
import { MetricCollection } from "#core/telemetry/metric_collection.ts";
import { observePrograms } from "#core/telemetry/observe_programs.ts";
import { sourceReading } from "#core/telemetry/program_source.ts";
import { prometheusText } from "#core/telemetry/prometheus_text.ts";
import { reportView } from "#core/telemetry/report_view.ts";
import { RingForecast } from "#core/telemetry/ring_forecast.ts";
import { MetricReaders } from "../../telemetry/metric_readers.ts";
import type { MetricsSource } from "../../telemetry/metrics_server.ts";
import type { Running, RunningCollector } from "../running.ts";
import { deliveryOf } from "./batching.ts";
import { estimatesOf } from "./estimates.ts";
import type { RunPart, RunPartKind } from "./part.ts";
import { samplingOf } from "./sampling.ts";

/** Loss that `explain` sizes a ring for, unless told otherwise. */
export const TARGET_LOSS_DEFAULT = 0.001;

export interface RingAdvice {
  readonly collector: string;
  readonly size_bytes: number;
  readonly loss: number;
  readonly target_loss: number;
  readonly advised_bytes: number;
}

export interface Explanation extends Waterfall {
  readonly unknown: readonly string[];
  readonly rings: readonly RingAdvice[];
  /** Factor on the sampling rates of ordinary events by which load is shed; 1: none. */
  readonly shed_multiplier: number;
}

export interface StatisticsReport {
  readonly health: HealthReport;
  readonly programs: readonly BpfStatistics[];
  readonly shed_multiplier: number;
  /** What the events delivered since sampling began stand for, by name; empty where nothing was sampled. */
  readonly estimates: Readonly<Record<string, LiveEstimate>>;
}

/** What is remembered of a collector between two evaluations. */
interface Watched {
  readonly collector: RunningCollector;
  readonly forecast: RingForecast;
  seen: number;
  lost: number;
  sent: number;
  bytes: number;
  ringFull: number;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

export class TelemetryPart implements RunPart, MetricsSource {
  readonly collector: BpfStatsCollector;
  readonly #running: Running;
  readonly #collection: MetricCollection;
  readonly #health = new Health();
  readonly #watched: readonly Watched[];
  readonly #resource = resourceFromAttributes({ "service.name": "tapio-bpf" });
  #readers: MetricReaders | undefined;
  #applied = "";
  #next_ms = 0;
  #interval_ms = 5000;
  #ringPeak = 0;

  constructor(running: Running) {
    this.#running = running;
    this.collector = new BpfStatsCollector({
      clock: { now_ms: () => performance.now(), every: () => () => {} },
      onError: (program, error) =>
        console.error(`tapio-bpf: statistics of ${program}: ${(error as Error).message}`),
    });
    this.#collection = new MetricCollection({
      resource: this.#resource,
      now_ms: Date.now,
      observeAll: (observe) => this.#running.observe(observe),
    });
    this.#watched = running.collectors.map((collector) => ({
      collector,
      forecast: new RingForecast(),
      ...{ seen: 0, lost: 0, sent: 0, bytes: 0, ringFull: 0 },
    }));
    for (const { collector } of this.#watched) this.#register(collector);
  }

  #register({ spec, pipeline, object }: RunningCollector): void {
    for (const programSpec of spec.programs) {
      const { name } = programSpec;
      const program = programOf(object, programSpec)!;
      this.collector.registerProgram(name, program.kind, program.info().id, {
        read: () => {
          const reading = pipeline.programReadings().find((each) => each.program === name)!;
          const { sizeBytes } = pipeline.ring;
          return sourceReading(reading, {
            ring: { size_bytes: sizeBytes, used_bytes: pipeline.ring.availableBytes() },
            mapMemory_bytes: mapMemory(object),
            batchesSent: pipeline.batches,
          });
        },
      });
    }
  }

  async apply({ telemetry }: Config): Promise<void> {
    this.#interval_ms = telemetry.interval_s * 1000;
    const wanted = JSON.stringify(telemetry);
    if (wanted === this.#applied) return;
    await this.#readers?.close();
    this.#readers = new MetricReaders(telemetry, this.#collection, this.#resource);
    this.#applied = wanted;
  }

  tick(): void {
    for (const { collector } of this.#watched) {
      const { ring } = collector.pipeline;
      const used = ring.availableBytes() / ring.sizeBytes;
      if (used > this.#ringPeak) this.#ringPeak = used;
    }
    if (performance.now() >= this.#next_ms) this.refresh();
  }

  /** Reads everything now, and judges the time since the last reading. */
  refresh(): void {
    const now_ms = performance.now();
    this.#next_ms = now_ms + this.#interval_ms;
    this.collector.collect();
    let [seen, lost, residual] = [0, 0, 0];
    for (const watched of this.#watched) {
      const before = { seen: watched.seen, lost: watched.lost };
      residual += this.#look(watched);
      seen += watched.seen - before.seen;
      lost += watched.lost - before.lost;
    }
    const all = this.collector.getAllStats();
    const oldest_ms = Math.min(...all.map(({ lastUpdate_ms }) => lastUpdate_ms));
    const exporters = [...(this.#readers?.exporters.values() ?? [])];
    this.#health.evaluate({
      seen,
      lost,
      residual,
      ringUtilization: this.#ringPeak,
      shedMultiplier: this.#shedMultiplier,
      staleIntervals: (now_ms - oldest_ms) / this.#interval_ms,
      deliveryProblems: deliveryOf(this.#running)?.problems() ?? [],
      exporterFailures: Math.max(0, ...exporters.map(({ failuresInARow }) => failuresInARow)),
      attachFailures: all.reduce((total, { attachFailures }) => total + attachFailures, 0),
      verificationFailures: all.reduce((total, each) => total + each.verificationFailures, 0),
    });
    this.#ringPeak = 0;
  }

  /** Takes in what a collector did since the last look; returns its residual. */
  #look(watched: Watched): number {
    const { pipeline } = watched.collector;
    const readings = pipeline.programReadings();
    const books = readings.reduce((total, each) => addBooks(total, each.books), EMPTY_BOOKS);
    const sent = readings.reduce((total, { counters }) => total + counters.events_sent, 0);
    const bytes = readings.reduce((total, { counters }) => total + counters.bytes_processed, 0);
    const { ring_full = 0, ring_reserved = 0 } = books.dropped;
    const ringFull = ring_full + ring_reserved;
    const recordBytes = sent === 0 ? 0 : bytes / sent;
    const lostBytes = (ringFull - watched.ringFull) * recordBytes;
    watched.forecast.record(bytes - watched.bytes + lostBytes, lostBytes);
    Object.assign(watched, { seen: books.seen, lost: sum(books.dropped), sent, bytes, ringFull });
    return readings.reduce((total, each) => total + Math.abs(each.books.residual), 0);
  }

  observe(observe: Observe): void {
    this.collector.collect();
    observePrograms(observe, this.collector.records());
    for (const { collector } of this.#watched) observeMaps(observe, collector);
    for (const [exporter, { failures }] of this.#readers?.exporters ?? []) {
      observe(STATISTICS.exportFailures, failures, { exporter });
    }
    observe(STATISTICS.health, 1, { state: this.#health.report.state });
  }

  metrics(compatible: boolean): string {
    const metrics = this.#collection.read();
    return prometheusText(compatible ? reportView(metrics) : metrics);
  }

  health(): HealthReport {
    return this.#health.report;
  }

  statistics(): StatisticsReport {
    this.refresh();
    return {
      health: this.#health.report,
      programs: this.collector.getAllStats(),
      shed_multiplier: this.#shedMultiplier,
      estimates: Object.fromEntries(estimatesOf(this.#running).estimates()),
    };
  }

  get #shedMultiplier(): number {
    return samplingOf(this.#running).manager.shedMultiplier;
  }

  explain(targetLoss: number): Explanation {
    this.refresh();
    const books = this.#running.pipelines.reduce<Books>(
      (total, pipeline) => addBooks(total, pipeline.books()),
      EMPTY_BOOKS,
    );
    const rings = this.#watched.map(({ collector, forecast }) => ({
      collector: collector.spec.name,
      size_bytes: collector.pipeline.ring.sizeBytes,
      loss: forecast.loss,
      target_loss: targetLoss,
      advised_bytes: forecast.size(collector.pipeline.ring.sizeBytes, targetLoss),
    }));
    return {
      ...explainBooks(books),
      unknown: unknownReasons(books),
      rings,
      shed_multiplier: this.#shedMultiplier,
    };
  }

  async close(): Promise<void> {
    await this.#readers?.close();
  }
}

function mapMemory({ maps }: RunningCollector["object"]): number {
  return [...maps.values()].reduce((total, map) => total + map.memoryBytes(), 0);
}

function observeMaps(observe: Observe, { spec, object, pipeline }: RunningCollector): void {
  const program_name = spec.name;
  for (const map of object.maps.values()) {
    const attributes = { program_name, map_name: map.name };
    observe(STATISTICS.mapMemory, map.memoryBytes(), attributes);
    observe(STATISTICS.mapEntries, map.spec.maxEntries, attributes);
  }
  for (const programSpec of spec.programs) {
    const { name } = programSpec;
    const { memoryBytes, verifiedInstructions } = programOf(object, programSpec)!.info();
    observe(STATISTICS.programMemory, memoryBytes, { program_name: name });
    observe(STATISTICS.verifiedInstructions, verifiedInstructions, { program_name: name });
    const { sizeBytes } = pipeline.ring;
    const used = pipeline.ring.availableBytes();
    observe(STATISTICS.ringUsage, used, { program_name: name });
    observe(STATISTICS.ringLimit, sizeBytes, { program_name: name });
    observe(STATISTICS.ringUtilization, used / sizeBytes, { program_name: name });
  }
}

export const telemetryPart: RunPartKind = {
  name: "telemetry",
  create: (running) => new TelemetryPart(running),
};

/** The telemetry of a run. */
export function telemetryOf(running: Running): TelemetryPart {
  return running.part("telemetry") as TelemetryPart;
}
