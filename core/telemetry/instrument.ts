/**
 * What a metric is, before any exporter knows of it. Each capability describes its instruments under
 * `instruments/` and reports their values when metrics are collected; nothing is recorded per event.
 */

export interface Instrument {
  /**
   * OpenTelemetry name (`bpf.events.processed`); Prometheus' translation of name, unit and kind
   * yields the report's (`bpf_events_processed_total`).
   */
  readonly name: string;
  /**
   * - `counter`: a cumulative count that never falls while the run lasts.
   * - `up_down_counter`, `gauge`: as it is now; only the former adds up over series.
   * - `histogram`: cumulative counts of buckets.
   */
  readonly kind: "counter" | "up_down_counter" | "gauge" | "histogram";
  /** UCUM: `1`, `s`, `By`, `{event}`. */
  readonly unit: string;
  readonly description: string;
  /** Attributes that its series may have. Values are names, never numbers. */
  readonly attributes: readonly string[];
}

export type InstrumentAttributes = Readonly<Record<string, string>>;

/** Cumulative: `counts[i]` values were above `boundaries[i - 1]` and at most `boundaries[i]`. */
export interface HistogramReading {
  readonly boundaries: readonly number[];
  /** One more than `boundaries`. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Takes the present value of one series; called during a collection only. */
export type Observe = (
  instrument: Instrument,
  value: number | HistogramReading,
  attributes?: InstrumentAttributes,
) => void;
