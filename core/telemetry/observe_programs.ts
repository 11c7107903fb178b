/** What every registered program counted, as metrics. */
import type { Observe } from "./instrument.ts";
import { STATISTICS } from "./instruments/statistics.ts";
import { type ProgramRecord, RUN_TIME_BOUNDARIES_S } from "./program_record.ts";

function observeEvents(observe: Observe, { name, totals, dropped, reading }: ProgramRecord): void {
  const own = { program_name: name };
  observe(STATISTICS.received, totals.received.total, own);
  observe(STATISTICS.processed, totals.processed.total, own);
  observe(STATISTICS.filtered, totals.filtered.total, own);
  observe(STATISTICS.rateLimited, totals.rateLimited.total, own);
  observe(STATISTICS.sampledOut, totals.sampled.total, own);
  observe(STATISTICS.batched, totals.batched.total, own);
  observe(STATISTICS.unobserved, totals.unobserved.total, own);
  observe(STATISTICS.inFlight, reading?.in_flight ?? 0, own);
  observe(STATISTICS.residual, reading?.residual ?? 0, own);
  for (const [reason, { total }] of dropped) {
    observe(STATISTICS.dropped, total, { ...own, reason });
  }
}

function observeRuns(observe: Observe, record: ProgramRecord): void {
  const { name, totals, runTimes, timed_ns } = record;
  const own = { program_name: name };
  observe(STATISTICS.runs, totals.runs.total, own);
  observe(STATISTICS.runTime, totals.runTime_ns.total / 1e9, own);
  observe(STATISTICS.programErrors, totals.programErrors.total, own);
  observe(STATISTICS.verificationFailures, totals.verificationFailures.total, own);
  observe(STATISTICS.attachFailures, totals.attachFailures.total, own);
  observe(
    STATISTICS.processingDuration,
    {
      boundaries: RUN_TIME_BOUNDARIES_S,
      counts: runTimes.map(({ total }) => total),
      sum: timed_ns.total / 1e9,
    },
    own,
  );
}

/** Of programs that were unregistered, the counters go on at their last values. */
export function observePrograms(observe: Observe, records: Iterable<ProgramRecord>): void {
  let seen = 0;
  let passed = 0;
  for (const record of records) {
    const { name, type, registered, totals } = record;
    const active = { program_name: name, program_type: type };
    observe(STATISTICS.programsActive, registered ? 1 : 0, active);
    observeEvents(observe, record);
    observeRuns(observe, record);
    const batches = totals.batchesSent.total;
    const size = batches === 0 ? 0 : totals.processed.total / batches;
    observe(STATISTICS.batchesSent, batches, { program_name: name });
    observe(STATISTICS.averageBatchSize, size, { program_name: name });
    seen += totals.received.total;
    passed += totals.received.total - totals.filtered.total;
  }
  if (seen > 0) observe(STATISTICS.filterHits, passed, { filter_type: "any" });
}
