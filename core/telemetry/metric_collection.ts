/**
 * Observed values as the OpenTelemetry SDK's data model. Counters live in the kernel and in the
 * pipelines; they are read when a reader collects, and nothing is recorded in between.
 */
import { type HrTime, ValueType } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from "@opentelemetry/sdk-metrics";
import { BpfError, ERRNO } from "../errors.ts";
import type { HistogramReading, Instrument, InstrumentAttributes, Observe } from "./instrument.ts";

export const SCOPE = { name: "tapio.bpf" };

/** Series of one instrument; more are refused, so that a defect cannot flood a backend. */
export const SERIES_MAX = 2000;

interface Series {
  readonly instrument: Instrument;
  readonly points: DataPoint<number | Histogram>[];
  readonly seen: Set<string>;
}

export interface MetricCollectionOptions {
  readonly resource: Resource;
  /** Reports the present value of every series. */
  readonly observeAll: (observe: Observe) => void;
  /** Wall clock in milliseconds since 1970. */
  readonly now_ms: () => number;
}

function hrTime(time_ms: number): HrTime {
  const seconds = Math.floor(time_ms / 1000);
  return [seconds, Math.round((time_ms - seconds * 1000) * 1e6)];
}

function histogramOf({ boundaries, counts, sum }: HistogramReading): Histogram {
  const count = counts.reduce((total, each) => total + each, 0);
  return { buckets: { boundaries: [...boundaries], counts: [...counts] }, sum, count };
}

/** Attributes must be the instrument's own, and names: a number would make a series of each value. */
function checkAttributes(instrument: Instrument, attributes: InstrumentAttributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    const known = instrument.attributes.includes(name);
    if (known && typeof value === "string" && !/^-?\d+(\.\d+)?$/.test(value)) continue;
    throw new BpfError(`observe ${instrument.name}`, `attribute ${name} is ${value}`, {
      errno: ERRNO.EINVAL,
      hint: known ? "give a name, not a number" : `it has ${instrument.attributes.join(", ")}`,
    });
  }
}

export class MetricCollection implements MetricProducer {
  readonly #options: MetricCollectionOptions;
  readonly #start: HrTime;

  constructor(options: MetricCollectionOptions) {
    this.#options = options;
    this.#start = hrTime(options.now_ms());
  }

  async collect(): Promise<CollectionResult> {
    const scopeMetrics = [{ scope: SCOPE, metrics: this.read() }];
    return { resourceMetrics: { resource: this.#options.resource, scopeMetrics }, errors: [] };
  }

  /** Every series that has a value now. Throws `BpfError` where one is observed twice. */
  read(): MetricData[] {
    const series = new Map<Instrument, Series>();
    const endTime = hrTime(this.#options.now_ms());
    this.#options.observeAll((instrument, value, attributes = {}) => {
      checkAttributes(instrument, attributes);
      const { points, seen } = seriesOf(series, instrument);
      const key = JSON.stringify(attributes);
      if (seen.has(key) || seen.size >= SERIES_MAX) {
        const problem = seen.has(key) ? `${key} came twice` : `more than ${SERIES_MAX} series`;
        throw new BpfError(`observe ${instrument.name}`, problem, { errno: ERRNO.EINVAL });
      }
      seen.add(key);
      const reading = typeof value === "number" ? value : histogramOf(value);
      points.push({ startTime: this.#start, endTime, attributes, value: reading });
    });
    return [...series.values()].map(metricData);
  }
}

function seriesOf(series: Map<Instrument, Series>, instrument: Instrument): Series {
  const known = series.get(instrument);
  if (known !== undefined) return known;
  const created = { instrument, points: [], seen: new Set<string>() };
  series.set(instrument, created);
  return created;
}

function metricData({ instrument, points }: Series): MetricData {
  const { name, description, unit, kind } = instrument;
  const common = {
    descriptor: { name, description, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  if (kind === "histogram") {
    const dataPoints = points as DataPoint<Histogram>[];
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints };
  }
  const dataPoints = points as DataPoint<number>[];
  if (kind === "gauge") return { ...common, dataPointType: DataPointType.GAUGE, dataPoints };
  return {
    ...common,
    dataPointType: DataPointType.SUM,
    isMonotonic: kind === "counter",
    dataPoints,
  };
}
