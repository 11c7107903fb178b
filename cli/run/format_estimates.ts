/** Estimates as text for a terminal: what there was, then how long it took, each with bounds. */
import type { Estimate } from "#core/sampling/estimators/estimate.ts";
import type { LiveEstimate } from "#core/sampling/live_estimates.ts";
import { formatCount, formatTable } from "../table.ts";

const formatMs = (ns: number): string => `${(ns / 1e6).toPrecision(4)} ms`;

export function formatEstimates(estimates: Readonly<Record<string, LiveEstimate>>): string {
  const rows = Object.entries(estimates).flatMap(([name, estimate]) => [
    countRow(name, estimate.count),
    ...latencyRows(name, estimate),
  ]);
  return formatTable([["event", "what", "estimate", "from", "to", "beware"], ...rows]);
}

function countRow(name: string, { value, lower, upper, reasons }: Estimate): string[] {
  const bounds = [Math.round(value), Math.floor(lower), Math.ceil(upper)];
  return [name, "number", ...bounds.map(formatCount), reasons.join(", ")];
}

function latencyRows(name: string, { latency_ns, latency_quantiles_ns }: LiveEstimate): string[][] {
  if (latency_ns === undefined) return [];
  const latencies = { "mean latency": latency_ns, ...latency_quantiles_ns };
  return Object.entries(latencies).map(([what, { value, lower, upper, reasons }]) => [
    ...[name, what, formatMs(value), formatMs(lower), formatMs(upper)],
    reasons.join(", "),
  ]);
}
