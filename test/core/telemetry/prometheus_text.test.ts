import { resourceFromAttributes } from "@opentelemetry/resources";
import { describe, expect, it } from "vitest";
import type { Instrument, Observe } from "#core/telemetry/instrument.ts";
import { INSTRUMENTS } from "#core/telemetry/instruments/index.ts";
import { MetricCollection } from "#core/telemetry/metric_collection.ts";
import { prometheusText } from "#core/telemetry/prometheus_text.ts";
import { reportView } from "#core/telemetry/report_view.ts";
import { thrown } from "../../support/thrown.ts";

const read = (observeAll: (observe: Observe) => void) =>
  new MetricCollection({
    resource: resourceFromAttributes({}),
    now_ms: () => 1_700_000_000_123.5,
    observeAll,
  }).read();

const named = (name: string): Instrument => INSTRUMENTS.find((each) => each.name === name)!;

/** A value of every instrument, with all its attributes. */
function observeEverything(observe: Observe): void {
  for (const instrument of INSTRUMENTS) {
    const attributes = Object.fromEntries(instrument.attributes.map((name) => [name, "x"]));
    const value =
      instrument.kind === "histogram" ? { boundaries: [0.001, 1], counts: [1, 2, 3], sum: 7 } : 4;
    observe(instrument, value, attributes);
  }
}

describe("Prometheus' text", () => {
  it("has the report's eight key metrics by their names", () => {
    const metrics = read(observeEverything);
    const text = prometheusText(metrics) + prometheusText(reportView(metrics));
    for (const line of [
      'bpf_programs_active{program_name="x",program_type="x"} 4',
      'bpf_events_processed_total{program_name="x"} 4',
      'bpf_events_dropped_total{program_name="x",reason="x"} 4',
      'bpf_ring_buffer_utilization_ratio{program_name="x"} 4',
      'bpf_filter_hits_total{filter_type="x"} 4',
      'bpf_average_batch_size{program_name="x"} 4',
      'bpf_sampling_rate{strategy="x"} 4',
      'bpf_processing_duration_ms_bucket{program_name="x",le="1"} 1',
      'bpf_processing_duration_seconds_bucket{program_name="x",le="1"} 3',
      'bpf_processing_duration_seconds_bucket{program_name="x",le="+Inf"} 6',
      'bpf_processing_duration_seconds_sum{program_name="x"} 7',
      'bpf_processing_duration_seconds_count{program_name="x"} 6',
      'bpf_map_memory_usage_bytes{program_name="x",map_name="x"} 4',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  it("escapes labels", () => {
    const text = prometheusText(
      read((observe) => observe(named("bpf.events.received"), 1, { program_name: 'a"b\\c\nd' })),
    );
    expect(text).toContain('{program_name="a\\"b\\\\c\\nd"} 1\n');
  });
});

describe("instruments", () => {
  it("follow OpenTelemetry's rules", () => {
    expect(new Set(INSTRUMENTS.map(({ name }) => name)).size).toBe(INSTRUMENTS.length);
    for (const { name, unit, description } of INSTRUMENTS) {
      expect(name).toMatch(/^[a-z]+(\.[a-z_]+)+$/);
      expect(name).not.toMatch(/total$/);
      expect(unit).not.toBe("");
      expect(description).toMatch(/\.$|defect\.$/);
    }
  });

  it("take no number for an attribute, none of another's, and no series twice", () => {
    const received = named("bpf.events.received");
    const refusal = (...attributes: Record<string, string>[]) =>
      thrown(() =>
        read((observe) => {
          for (const each of attributes) observe(received, 1, each);
        }),
      );
    expect(refusal({ program_name: "17" }).hint).toContain("not a number");
    expect(refusal({ pid: "x" }).hint).toContain("program_name");
    expect(refusal({ program_name: "a" }, { program_name: "a" }).message).toContain("came twice");
  });
});
