/**
 * Metrics in Prometheus' text format (version 0.0.4). Names follow the translation that OpenTelemetry
 * specifies: dots to underscores, the unit as a word, `_total` for counters.
 */
import { DataPointType, type Histogram, type MetricData } from "@opentelemetry/sdk-metrics";

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** UCUM units as words; those in braces are annotations and have none. */
const UNIT_WORDS: Readonly<Record<string, string>> = { s: "seconds", By: "bytes", ms: "ms" };

/** Name of the metric that an exposition shows. */
export function prometheusName(metric: MetricData): string {
  const { name, unit } = metric.descriptor;
  const plain = name.replaceAll(/[^a-zA-Z0-9_:]/g, "_");
  const isRatio = unit === "1" && metric.dataPointType === DataPointType.GAUGE;
  const word = isRatio ? "ratio" : UNIT_WORDS[unit];
  const withUnit = word === undefined || plain.endsWith(`_${word}`) ? plain : `${plain}_${word}`;
  const counts = metric.dataPointType === DataPointType.SUM && metric.isMonotonic;
  return counts && !withUnit.endsWith("_total") ? `${withUnit}_total` : withUnit;
}

function typeOf(metric: MetricData): string {
  if (metric.dataPointType === DataPointType.HISTOGRAM) return "histogram";
  return metric.dataPointType === DataPointType.SUM && metric.isMonotonic ? "counter" : "gauge";
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(value: string): string {
  return escapeHelp(value).replaceAll('"', '\\"');
}

type Labels = readonly (readonly [string, string])[];

function labelText(labels: Labels): string {
  if (labels.length === 0) return "";
  return `{${labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(",")}}`;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}

function histogramLines(name: string, labels: Labels, value: Histogram): string[] {
  const { boundaries, counts } = value.buckets;
  let below = 0;
  const lines = counts.map((count, i) => {
    below += count;
    const bound = numberText(boundaries[i] ?? Number.POSITIVE_INFINITY);
    return `${name}_bucket${labelText([...labels, ["le", bound]])} ${below}`;
  });
  const sum = `${name}_sum${labelText(labels)} ${numberText(value.sum ?? 0)}`;
  return [...lines, sum, `${name}_count${labelText(labels)} ${value.count}`];
}

/** The exposition of these metrics, each with its help and type. */
export function prometheusText(metrics: readonly MetricData[]): string {
  const lines: string[] = [];
  for (const metric of metrics) {
    const name = prometheusName(metric);
    lines.push(`# HELP ${name} ${escapeHelp(metric.descriptor.description)}`);
    lines.push(`# TYPE ${name} ${typeOf(metric)}`);
    for (const { attributes, value } of metric.dataPoints) {
      const labels = Object.entries(attributes).map(([key, text]) => [key, String(text)] as const);
      if (typeof value === "number") lines.push(`${name}${labelText(labels)} ${numberText(value)}`);
      else lines.push(...histogramLines(name, labels, value as Histogram));
    }
  }
  return `${lines.join("\n")}\n`;
}
