/** What delivered events stand for, by type: live estimates with their intervals. */
import type { RecordBatch } from "#core/backend.ts";
import { fieldReaderPair, type ReaderPair } from "#core/btf/fields.ts";
import { layoutOf } from "#core/btf/layout.ts";
import { findType } from "#core/btf/queries.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import { estimateCount } from "#core/sampling/estimators/count.ts";
import { PoissonSample } from "#core/sampling/estimators/designs/poisson_sample.ts";
import type { Estimate } from "#core/sampling/estimators/estimate.ts";
import { rateFromHalves } from "#core/sampling/threshold.ts";
import type { Observe } from "#core/telemetry/instrument.ts";
import { ESTIMATES } from "#core/telemetry/instruments/estimates.ts";
import type { RunPart, RunPartKind } from "./part.ts";

/** What is asked of each record of a collector. */
interface Watched {
  readonly word: ReaderPair;
  /** By the header's number of the type; undefined where the collector has no such type. */
  readonly totals: readonly (PoissonSample | undefined)[];
}

/** Looks at every delivered record, and keeps sums only. */
export class EstimatesPart implements RunPart, Sink {
  readonly name = "estimates";
  readonly #watched = new Map<EventSchema, Watched>();
  readonly #totals = new Map<string, PoissonSample>();
  readonly #wholeConnections: boolean;

  /** Whether connections are kept as a whole: then events are not drawn one by one, and have no interval here. */
  constructor(wholeConnections: boolean) {
    this.#wholeConnections = wholeConnections;
  }

  write(batch: RecordBatch, schema: EventSchema): void {
    const { word, totals } = this.#watched.get(schema) ?? this.#open(schema);
    const { header, headerSize } = schema;
    for (let i = 0; i < batch.count; i++) {
      if (batch.lengths[i]! < headerSize) continue;
      const at = batch.offsets[i]!;
      const total = totals[header.type(batch.view, at)];
      total?.add(1, rateFromHalves(word.low(batch.view, at), word.high(batch.view, at)));
    }
  }

  #open(schema: EventSchema): Watched {
    const layout = layoutOf(schema.btf, findType(schema.btf, "event_header", "struct")!);
    const totals: (PoissonSample | undefined)[] = [];
    for (const [number, { spec }] of schema.types) {
      const total = this.#totals.get(spec.name) ?? new PoissonSample();
      this.#totals.set(spec.name, total);
      totals[number] = total;
    }
    const watched = { word: fieldReaderPair(layout, "sampling"), totals };
    this.#watched.set(schema, watched);
    return watched;
  }

  /** By event type; of types that have been seen. */
  estimates(): ReadonlyMap<string, Estimate> {
    return new Map([...this.#totals].map(([name, total]) => [name, estimateCount(total)]));
  }

  observe(observe: Observe): void {
    for (const [event_type, { value, lower, upper }] of this.estimates()) {
      observe(ESTIMATES.value, value, { event_type });
      // Unbiased all the same; but its variance is that of connections, which nobody remembers here.
      if (this.#wholeConnections) continue;
      observe(ESTIMATES.lower, lower, { event_type });
      observe(ESTIMATES.upper, upper, { event_type });
    }
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

export const estimatesPart: RunPartKind = {
  name: "estimates",
  create(running) {
    const part = new EstimatesPart(running.config.sampling.consistent);
    // Without sampling there is nothing to estimate: every event is counted.
    if (running.config.sampling.strategy !== "none") running.addSink(part);
    return part;
  },
};
