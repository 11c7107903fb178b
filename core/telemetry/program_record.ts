/** One registered program: its totals so far, and what was read last. */
import { PeakWindow } from "../stats/peak_window.ts";
import { type BpfStatistics, EVENT_COUNTER, type EventCounter } from "./bpf_statistics.ts";
import { Cumulative } from "./cumulative.ts";
import type { RingReading, SourceReading } from "./program_source.ts";

const MINUTE_MS = 60_000;

/** Totals that `BpfStatistics` shows and metrics export. */
export const TOTALS = [
  "received",
  "processed",
  "dropped",
  "filtered",
  "rateLimited",
  "sampled",
  "batched",
  "unobserved",
  "programErrors",
  "batchesSent",
  "batchFull",
  "batchTimeout",
  "detached",
  "verificationFailures",
  "attachFailures",
  "runs",
  "runTime_ns",
] as const;

export type Total = (typeof TOTALS)[number];

const TOTAL_OF_COUNTER: Readonly<Record<EventCounter, Total>> = {
  [EVENT_COUNTER.received]: "received",
  [EVENT_COUNTER.processed]: "processed",
  [EVENT_COUNTER.dropped]: "dropped",
  [EVENT_COUNTER.filtered]: "filtered",
  [EVENT_COUNTER.sampled]: "sampled",
  [EVENT_COUNTER.batched]: "batched",
  [EVENT_COUNTER.programErrors]: "programErrors",
};

/** Upper edges in seconds of the log2 histogram's buckets but the last, which is open. */
export const RUN_TIME_BOUNDARIES_S: readonly number[] = Array.from(
  { length: 31 },
  (_, i) => 2 ** (i + 1) / 1e9,
);

const BUCKETS = RUN_TIME_BOUNDARIES_S.length + 1;

export class ProgramRecord {
  readonly name: string;
  type: string;
  id: number;
  /** False once it was unregistered; the totals stay, since exported counters must not fall. */
  registered = true;
  startTime_ms: number;
  lastUpdate_ms = 0;
  readonly totals: Readonly<Record<Total, Cumulative>>;
  readonly dropped = new Map<string, Cumulative>();
  readonly runTimes: readonly Cumulative[];
  readonly timed_ns = new Cumulative();
  readonly #peaks = new PeakWindow({ span_ms: 5 * MINUTE_MS });
  readonly #counted = new Float64Array(BUCKETS);
  #ring: RingReading = { size_bytes: 0, used_bytes: 0 };
  #ringPeak_bytes = 0;
  #reading: SourceReading | undefined;

  constructor(name: string, type: string, id: number, now_ms: number) {
    this.name = name;
    this.type = type;
    this.id = id;
    this.startTime_ms = now_ms;
    const totals = TOTALS.map((total) => [total, new Cumulative()] as const);
    this.totals = Object.fromEntries(totals) as Record<Total, Cumulative>;
    this.runTimes = Array.from({ length: BUCKETS }, () => new Cumulative());
  }

  get reading(): SourceReading | undefined {
    return this.#reading;
  }

  get ring(): RingReading {
    return this.#ring;
  }

  increment(counter: EventCounter, amount: number): void {
    this.totals[TOTAL_OF_COUNTER[counter]].add(amount);
  }

  recordTime(now_ms: number, time_ns: number): void {
    this.#peaks.record(now_ms, time_ns);
    this.timed_ns.add(time_ns);
    const bucket = time_ns < 2 ? 0 : Math.min(BUCKETS - 1, Math.floor(Math.log2(time_ns)));
    this.runTimes[bucket]!.add(1);
    // What user space recorded is no run of the kernel's whose peak was missed.
    this.#counted[bucket]! += 1;
  }

  setRing(ring: RingReading): void {
    this.#ring = ring;
    if (ring.used_bytes > this.#ringPeak_bytes) this.#ringPeak_bytes = ring.used_bytes;
  }

  update(now_ms: number, reading: SourceReading): void {
    const { id } = reading;
    for (const [name, value] of Object.entries(reading.totals)) {
      this.totals[name as Total].update(id, value);
    }
    for (const [reason, value] of Object.entries(reading.dropped)) {
      const total = this.dropped.get(reason) ?? new Cumulative();
      total.update(id, value);
      this.dropped.set(reason, total);
    }
    this.timed_ns.update(id, reading.timed_ns);
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      this.#updateBucket(now_ms, id, bucket, reading.run_time_log2[bucket] ?? 0);
    }
    if (reading.ring !== undefined) this.setRing(reading.ring);
    this.id = id;
    this.#reading = reading;
    this.lastUpdate_ms = now_ms;
  }

  /** A bucket that grew says that a run as long as its lower edge happened since the last reading. */
  #updateBucket(now_ms: number, id: number, bucket: number, count: number): void {
    const total = this.runTimes[bucket]!;
    total.update(id, count);
    if (total.total > this.#counted[bucket]!) this.#peaks.record(now_ms, 2 ** bucket);
    this.#counted[bucket] = total.total;
  }

  statistics(now_ms: number): BpfStatistics {
    const total = (name: Total): number => this.totals[name].total;
    const timedRuns = this.runTimes.reduce((sum, { total: runs }) => sum + runs, 0);
    const reached = total("batched") + total("sampled") + this.droppedInKernel();
    const kept = reached === 0 ? 1 : 1 - total("sampled") / reached;
    const batches = total("batchesSent");
    const { size_bytes, used_bytes } = this.#ring;
    const reading = this.#reading;
    return {
      programName: this.name,
      programId: this.id,
      programType: this.type,
      eventsReceived: total("received"),
      eventsProcessed: total("processed"),
      eventsDropped: total("dropped"),
      eventsFiltered: total("filtered"),
      eventsRateLimited: total("rateLimited"),
      eventsSampled: total("sampled"),
      eventsBatched: total("batched"),
      eventsInFlight: reading?.in_flight ?? 0,
      residual: reading?.residual ?? 0,
      unobserved: total("unobserved"),
      processingTime_ns: this.timed_ns.total,
      averageLatency_ns: timedRuns === 0 ? 0 : this.timed_ns.total / timedRuns,
      peak1MinLatency_ns: this.#peaks.peak(now_ms, MINUTE_MS) ?? 0,
      peak5MinLatency_ns: this.#peaks.peak(now_ms) ?? 0,
      ringBufferSize_bytes: size_bytes,
      ringBufferUsed_bytes: used_bytes,
      ringBufferPeak_bytes: this.#ringPeak_bytes,
      ringBufferUtilization: size_bytes === 0 ? 0 : used_bytes / size_bytes,
      mapMemoryUsage_bytes: reading?.mapMemory_bytes ?? 0,
      instructionCount: reading?.instructions ?? 0,
      verifiedInstructions: reading?.verifiedInstructions ?? 0,
      verifierLogSize_bytes: reading?.verifierLog_bytes ?? 0,
      programErrors: total("programErrors"),
      verificationFailures: total("verificationFailures"),
      attachFailures: total("attachFailures"),
      detachEvents: total("detached"),
      namespaceFilters: reading?.filters?.namespace ?? 0,
      processFilters: reading?.filters?.pid ?? 0,
      networkFilters: reading?.filters?.network ?? 0,
      samplingRate: kept,
      samplingActive: total("sampled") > 0,
      batchesSent: batches,
      averageBatchSize: batches === 0 ? 0 : total("processed") / batches,
      batchFullEvents: total("batchFull"),
      batchTimeoutEvents: total("batchTimeout"),
      lastUpdate_ms: this.lastUpdate_ms,
      startTime_ms: this.startTime_ms,
      uptime_s: Math.max(0, now_ms - this.startTime_ms) / 1000,
    };
  }

  /** Drops before the ring; they reached sampling, and were kept. */
  droppedInKernel(): number {
    const reasons = ["ring_full", "ring_reserved"];
    return reasons.reduce((sum, reason) => sum + (this.dropped.get(reason)?.total ?? 0), 0);
  }
}
