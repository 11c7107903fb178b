/** One frame of `tapio-bpf top` as text for a terminal. */
import type { HealthReport } from "#core/telemetry/health.ts";
import type { ProgramRates } from "#core/telemetry/program_rates.ts";
import { formatCount, formatTable } from "../table.ts";

const HEAD = [
  "program",
  "seen/s",
  "filtered",
  "limited",
  "sampled out",
  "dropped",
  "delivered",
  "CPU",
  "ring",
];

const rate = (per_s: number): string => formatCount(Math.round(per_s));
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function row(rates: ProgramRates): string[] {
  const { program, seen, filtered, rateLimited, sampledOut, dropped, delivered } = rates;
  const fates = [seen, filtered, rateLimited, sampledOut, dropped, delivered].map(rate);
  return [program, ...fates, percent(rates.cpuShare), percent(rates.ringUtilization)];
}

export function formatTop(health: HealthReport, programs: readonly ProgramRates[]): string {
  const reasons = health.reasons.map(
    ({ state, problem, remedy }) => `  ${state}: ${problem}; ${remedy}`,
  );
  const table = formatTable([HEAD, ...programs.map(row)]);
  return [`the run is ${health.state}`, ...reasons, "", table].join("\n");
}
