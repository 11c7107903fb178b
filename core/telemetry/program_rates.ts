/** What programs did between two readings of their statistics, per second. */
import type { BpfStatistics } from "./bpf_statistics.ts";

export interface ProgramRates {
  readonly program: string;
  /** Events per second that reached the program, and the fate of each. */
  readonly seen: number;
  readonly filtered: number;
  readonly rateLimited: number;
  readonly sampledOut: number;
  readonly dropped: number;
  readonly delivered: number;
  /** Time in the program as a share of one CPU: events times the mean of the runs that were timed. */
  readonly cpuShare: number;
  /** Used part of the ring at the second reading, 0 to 1. */
  readonly ringUtilization: number;
}

/** By what programs are ranked, most first. */
export const RATE_ORDERS = ["seen", "delivered", "dropped", "cpu"] as const;
export type RateOrder = (typeof RATE_ORDERS)[number];

const ORDER_OF: Readonly<Record<RateOrder, (rates: ProgramRates) => number>> = {
  seen: ({ seen }) => seen,
  delivered: ({ delivered }) => delivered,
  dropped: ({ dropped }) => dropped,
  cpu: ({ cpuShare }) => cpuShare,
};

/**
 * Rates of the programs of `after`, ranked. Programs that `before` does not know count from zero, over the
 * whole interval; so do those whose counters fell, because they were registered anew.
 */
export function programRates(
  before: readonly BpfStatistics[],
  after: readonly BpfStatistics[],
  order: RateOrder,
): ProgramRates[] {
  const earlier = new Map(before.map((each) => [each.programName, each]));
  const rank = ORDER_OF[order];
  return after
    .map((now) => ratesOf(earlier.get(now.programName), now, intervalOf_s(before, after)))
    .sort((a, b) => rank(b) - rank(a) || (a.program < b.program ? -1 : 1));
}

function intervalOf_s(before: readonly BpfStatistics[], after: readonly BpfStatistics[]): number {
  const latest = (all: readonly BpfStatistics[]): number =>
    Math.max(0, ...all.map(({ lastUpdate_ms }) => lastUpdate_ms));
  return (latest(after) - latest(before)) / 1000;
}

function ratesOf(
  before: BpfStatistics | undefined,
  after: BpfStatistics,
  interval_s: number,
): ProgramRates {
  const anew = before === undefined || before.eventsReceived > after.eventsReceived;
  const perSecond = (count: (statistics: BpfStatistics) => number): number => {
    const gained = count(after) - (anew ? 0 : count(before));
    return interval_s > 0 ? gained / interval_s : 0;
  };
  const seen = perSecond(({ eventsReceived }) => eventsReceived);
  return {
    program: after.programName,
    seen,
    filtered: perSecond(({ eventsFiltered }) => eventsFiltered),
    rateLimited: perSecond(({ eventsRateLimited }) => eventsRateLimited),
    sampledOut: perSecond(({ eventsSampled }) => eventsSampled),
    dropped: perSecond(({ eventsDropped }) => eventsDropped),
    delivered: perSecond(({ eventsProcessed }) => eventsProcessed),
    cpuShare: (seen * after.averageLatency_ns) / 1e9,
    ringUtilization: after.ringBufferUtilization,
  };
}
