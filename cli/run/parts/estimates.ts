/** What delivered events stand for, by type: live estimates, with intervals and what is wrong with them. */
import type { RecordBatch } from "#core/backend.ts";
import type { Config } from "#core/config/config.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import type { Books } from "#core/pipeline/books.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import type { Estimate } from "#core/sampling/estimators/estimate.ts";
import {
  type LatencyQuantile,
  type LiveEstimate,
  LiveEstimates,
} from "#core/sampling/live_estimates.ts";
import { LiveRecordReader } from "#core/sampling/live_record_reader.ts";
import type { Observe } from "#core/telemetry/instrument.ts";
import {
  ESTIMATES,
  LATENCY_ESTIMATES,
  LATENCY_QUANTILE_ESTIMATES,
} from "#core/telemetry/instruments/estimates.ts";
import type { Running, RunningCollector } from "../running.ts";
import type { RunPart, RunPartKind } from "./part.ts";
import { samplingOf } from "./sampling.ts";

/** What had been counted before sampling began: of events that are in no estimate. */
interface Before {
  readonly lost: ReadonlyMap<RunningCollector, number>;
  readonly seen: ReadonlyMap<string, number>;
}

/** Looks at every delivered record from when sampling began, and keeps what estimates need of it. */
export class EstimatesPart implements RunPart, Sink {
  readonly name = "estimates";
  readonly #running: Running;
  readonly #readers = new Map<EventSchema, LiveRecordReader>();
  readonly #types = new Map<string, LiveEstimates>();
  /** Undefined until sampling begins: without it there is nothing to estimate, every event is counted. */
  #before: Before | undefined;
  #ofConnections = false;

  constructor(running: Running) {
    this.#running = running;
  }

  apply({ sampling }: Config): void {
    if (sampling.strategy !== "none") this.#begin();
    this.#ofConnections = sampling.consistent;
  }

  #begin(): void {
    this.#before ??= {
      lost: new Map(
        this.#running.collectors.map((each) => [each, lostAfterSampling(each.pipeline.books())]),
      ),
      seen: samplingOf(this.#running).manager.seenByType(),
    };
  }

  write(batch: RecordBatch, schema: EventSchema): void {
    if (this.#before === undefined) {
      if (samplingOf(this.#running).manager.shedMultiplier === 1) return;
      this.#begin();
    }
    const reader = this.#readers.get(schema) ?? this.#open(schema);
    reader.read(batch, this.#ofConnections);
  }

  #open(schema: EventSchema): LiveRecordReader {
    const reader = new LiveRecordReader(schema, (name) => {
      const estimates = this.#types.get(name) ?? new LiveEstimates();
      this.#types.set(name, estimates);
      return estimates;
    });
    this.#readers.set(schema, reader);
    return reader;
  }

  /** By event type; of the collectors of which anything was delivered. */
  estimates(): Map<string, LiveEstimate> {
    const { manager } = samplingOf(this.#running);
    const found = new Map<string, LiveEstimate>();
    const seen = manager.seenByType();
    for (const collector of this.#running.collectors) {
      const books = collector.pipeline.books();
      const lost = lostAfterSampling(books) - (this.#before?.lost.get(collector) ?? 0);
      const maxima = collector.pipeline.leftOutLatencyMax_ns();
      for (const { name } of collector.spec.events) {
        const facts = {
          lost,
          rate: manager.leastRate(name),
          latencyMax_ns: maxima[name]!,
          // At least so many have had their chance to come here, of whatever type the others are.
          events: seen.get(name)! - (this.#before?.seen.get(name) ?? 0) - lost - books.in_flight,
        };
        const estimate = this.#types.get(name)?.estimate(facts);
        if (estimate !== undefined) found.set(name, estimate);
      }
    }
    return found;
  }

  observe(observe: Observe): void {
    for (const [event_type, estimate] of this.estimates()) {
      const { count, latency_ns, latency_quantiles_ns, anytime } = estimate;
      observe(ESTIMATES.value, count.value, { event_type });
      observe(ESTIMATES.lower, count.lower, { event_type });
      observe(ESTIMATES.upper, count.upper, { event_type });
      observeDistrust(observe, event_type, "count", count);
      if (anytime !== undefined) {
        observe(ESTIMATES.anytimeLower, anytime.lower, { event_type });
        observe(ESTIMATES.anytimeUpper, anytime.upper, { event_type });
      }
      if (latency_ns !== undefined) {
        observeSeconds(observe, LATENCY_ESTIMATES, latency_ns, { event_type });
        observeDistrust(observe, event_type, "latency", latency_ns);
      }
      for (const [percentile, quantile] of Object.entries(latency_quantiles_ns ?? {})) {
        observeSeconds(observe, LATENCY_QUANTILE_ESTIMATES, quantile, { event_type, percentile });
        const name = `latency_${percentile as LatencyQuantile}` as const;
        observeDistrust(observe, event_type, name, quantile);
      }
    }
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

/** Events that sampling kept and that never came here: nobody knows what they were. */
function lostAfterSampling({ dropped }: Books): number {
  const { ring_full = 0, ring_reserved = 0, malformed = 0 } = dropped;
  return ring_full + ring_reserved + malformed;
}

function observeSeconds(
  observe: Observe,
  instruments: typeof LATENCY_ESTIMATES | typeof LATENCY_QUANTILE_ESTIMATES,
  { value, lower, upper }: Estimate,
  attributes: Readonly<Record<string, string>>,
): void {
  observe(instruments.value, value / 1e9, attributes);
  observe(instruments.lower, lower / 1e9, attributes);
  observe(instruments.upper, upper / 1e9, attributes);
}

function observeDistrust(
  observe: Observe,
  event_type: string,
  quantity: "count" | "latency" | `latency_${LatencyQuantile}`,
  { reasons }: Estimate,
): void {
  for (const reason of reasons) observe(ESTIMATES.distrust, 1, { event_type, quantity, reason });
}

export const estimatesPart: RunPartKind = {
  name: "estimates",
  create(running) {
    const part = new EstimatesPart(running);
    running.addSink(part);
    return part;
  },
};

/** The live estimates of a run. */
export function estimatesOf(running: Running): EstimatesPart {
  return running.part("estimates") as EstimatesPart;
}
