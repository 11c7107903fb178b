/** Statistics and explanations as text for a terminal. */
import { formatEstimates } from "../run/format_estimates.ts";
import type { Explanation, StatisticsReport } from "../run/parts/telemetry.ts";
import { formatCount, formatTable } from "../table.ts";

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const micros = (time_ns: number): string => `${(time_ns / 1000).toFixed(2)} us`;
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MiB`;

export function formatStatistics({ health, programs, estimates }: StatisticsReport): string {
  const reasons = health.reasons.map(
    ({ state, problem, remedy }) => `${state}: ${problem}; ${remedy}`,
  );
  const head = ["program", "received", "processed", "dropped", "filtered", "in flight", "residual"];
  const events = programs.map((p) => [
    p.programName,
    ...[
      p.eventsReceived,
      p.eventsProcessed,
      p.eventsDropped,
      p.eventsFiltered,
      p.eventsInFlight,
      p.residual,
    ].map(formatCount),
  ]);
  const costHead = ["program", "run mean", "peak 1 min", "peak 5 min", "ring", "maps", "errors"];
  const costs = programs.map((p) => [
    p.programName,
    micros(p.averageLatency_ns),
    micros(p.peak1MinLatency_ns),
    micros(p.peak5MinLatency_ns),
    percent(p.ringBufferUtilization),
    mebibytes(p.mapMemoryUsage_bytes),
    formatCount(p.programErrors),
  ]);
  const sampled =
    Object.keys(estimates).length === 0
      ? []
      : ["", "since sampling began events stand for", formatEstimates(estimates)];
  return [
    `the run is ${health.state}`,
    ...reasons.map((line) => `  ${line}`),
    "",
    formatTable([head, ...events]),
    "",
    formatTable([costHead, ...costs]),
    ...sampled,
  ].join("\n");
}

export function formatExplanation(explanation: Explanation): string {
  const { seen, steps, in_flight, delivered, residual, unknown, rings, shed_multiplier } =
    explanation;
  const rows = [
    ["seen", formatCount(seen), "100.00 %"],
    ...steps.map(({ reason, count, share }) => [`- ${reason}`, formatCount(count), percent(share)]),
    ["- in flight", formatCount(in_flight), percent(seen === 0 ? 0 : in_flight / seen)],
    ["= delivered", formatCount(delivered), percent(seen === 0 ? 0 : delivered / seen)],
    ["residual", formatCount(residual), ""],
  ];
  const advice = steps.map(
    ({ reason, knob, advice: text, wanted }) =>
      `  ${reason} (${wanted ? "as configured" : "loss"}): ${knob}: ${text}`,
  );
  const sizes = rings
    .filter(({ size_bytes, advised_bytes }) => advised_bytes > size_bytes)
    .map(
      ({ collector, size_bytes, loss, target_loss, advised_bytes }) =>
        `  ring of ${collector}: ${size_bytes} bytes lost ${percent(loss)}; ` +
        `rings.bytes: ${advised_bytes} loses at most ${percent(target_loss)}`,
    );
  const shed =
    shed_multiplier < 1
      ? [
          `  load is shed: ordinary events are kept at ${percent(shed_multiplier)} of their sampling rate, ` +
            "because a ring, a sink or the log does not keep up; bring it back, or filter more",
        ]
      : [];
  const others = unknown.map((reason) => `  ${reason}: no advice for this reason`);
  return [formatTable(rows), "", ...shed, ...advice, ...sizes, ...others].join("\n").trimEnd();
}
