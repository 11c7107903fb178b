/** Delivery of a run: batches to the sinks of the configuration, through the log where it is enabled. */
import { availableParallelism } from "node:os";
import type { BatchProcessor } from "#core/batching/batch_processor.ts";
import type { Config } from "#core/config/config.ts";
import { ConfigError } from "#core/config/config_error.ts";
import type { Observe } from "#core/telemetry/instrument.ts";
import { BATCHING } from "#core/telemetry/instruments/batching.ts";
import { openDelivery } from "../../delivery/open_delivery.ts";
import type { Running } from "../running.ts";
import type { RunPart, RunPartKind } from "./part.ts";

/** As many as the original's pool had. */
const THREADS_MAX = 4;

/**
 * A source that waits is as fast as its consumer: every CPU but that of the main thread is for encoding. Elsewhere the main
 * thread does it, which takes less CPU time of the machine that is observed.
 */
function usefulThreads(sourceWaits: boolean): number {
  return sourceWaits ? Math.min(THREADS_MAX, availableParallelism() - 1) : 0;
}

const SECTIONS = ["sinks", "log", "batching"] as const;

export class BatchingPart implements RunPart {
  readonly processor: BatchProcessor | undefined;
  readonly #fixed: string;

  constructor(running: Running, processor: BatchProcessor | undefined) {
    this.processor = processor;
    this.#fixed = JSON.stringify(SECTIONS.map((name) => running.config[name]));
  }

  check(config: Config): void {
    if (JSON.stringify(SECTIONS.map((name) => config[name])) === this.#fixed) return;
    throw new ConfigError(
      ["sinks"],
      "sinks, log and batching cannot change while the run lasts",
      "start it again",
    );
  }

  tick(): void {
    this.processor?.tick();
  }

  observe(observe: Observe): void {
    if (this.processor === undefined) return;
    const statistics = this.processor.getStats();
    observe(BATCHING.target, statistics.batchSizeTarget);
    observe(BATCHING.savings, statistics.compressionSavings);
    observe(BATCHING.buffered, statistics.bufferedBytes);
    observe(BATCHING.latency, statistics.p50LatencyMs / 1000, { quantile: "p50" });
    observe(BATCHING.latency, statistics.p95LatencyMs / 1000, { quantile: "p95" });
    observe(BATCHING.latency, statistics.p99LatencyMs / 1000, { quantile: "p99" });
    observe(BATCHING.problems, this.processor.problems().length);
    observe(BATCHING.refused, statistics.eventsRefusedLater);
    for (const { sink, statistics: sent } of this.processor.senders()) {
      observe(BATCHING.failures, sent.retries + sent.failed + sent.rejected, { sink: sink.name });
    }
  }

  async close(): Promise<void> {
    await this.processor?.close();
  }
}

export const batchingPart: RunPartKind = {
  name: "batching",
  async create(running) {
    const { config, backend, pipelines } = running;
    if (config.sinks.length === 0) return new BatchingPart(running, undefined);
    const processor = await openDelivery({
      config,
      schemas: pipelines.map(({ schema }) => schema),
      now_ns: () => backend.now_ns(),
      threads: config.batching.worker_count ?? usefulThreads(running.sourceWaits),
    });
    running.addSink(processor);
    return new BatchingPart(running, processor);
  },
};

/** The processor of a run that has sinks. */
export function deliveryOf(running: Running): BatchProcessor | undefined {
  return (running.part("batching") as BatchingPart | undefined)?.processor;
}
