/**
 * Statistics of all registered programs: kernel counters that are read at an interval, and what user
 * space adds. Totals never fall while the collector lives: over stop and start, and over programs that are
 * unregistered and registered again.
 */
import { BpfError, ERRNO } from "../errors.ts";
import type { BpfStatistics, EventCounter } from "./bpf_statistics.ts";
import { ProgramRecord } from "./program_record.ts";
import type { ProgramSource, RingReading } from "./program_source.ts";

export const INTERVAL_DEFAULT_MS = 5000;
/** Programs at once, and names over time. */
export const PROGRAMS_MAX = 1024;

export interface CollectorClock {
  now_ms(): number;
  /** Calls `tick` every `interval_ms` until the answer is called. */
  every(interval_ms: number, tick: () => void): () => void;
}

export interface BpfStatsCollectorOptions {
  readonly clock: CollectorClock;
  /** Default 5 s, also for 0 and less. */
  readonly interval_ms?: number;
  /** Told where a source could not be read; the collector goes on. */
  readonly onError?: (program: string, error: unknown) => void;
}

export class BpfStatsCollector {
  readonly interval_ms: number;
  readonly #clock: CollectorClock;
  readonly #onError: (program: string, error: unknown) => void;
  readonly #records = new Map<string, ProgramRecord>();
  readonly #sources = new Map<string, ProgramSource>();
  #stop: (() => void) | undefined;

  constructor({ clock, interval_ms = 0, onError = () => {} }: BpfStatsCollectorOptions) {
    if (Number.isNaN(interval_ms)) {
      throw new BpfError("collect statistics", "the interval is NaN", {
        errno: ERRNO.EINVAL,
        hint: "give milliseconds",
      });
    }
    this.interval_ms = interval_ms > 0 ? interval_ms : INTERVAL_DEFAULT_MS;
    this.#clock = clock;
    this.#onError = onError;
  }

  get running(): boolean {
    return this.#stop !== undefined;
  }

  /** Reads all sources now and at every interval. A second start is a no-op. */
  start(): void {
    if (this.#stop !== undefined) return;
    this.collect();
    this.#stop = this.#clock.every(this.interval_ms, () => this.collect());
  }

  /** Ends the readings, after a last one; what was counted stays, and `start` goes on from there. */
  stop(): void {
    if (this.#stop === undefined) return;
    this.#stop();
    this.#stop = undefined;
    this.collect();
  }

  restart(): void {
    this.stop();
    this.start();
  }

  /**
   * Knows the program from now on. A name that is registered already keeps its counts and is one active
   * program as before; `source` then replaces the one before.
   */
  registerProgram(name: string, type: string, id: number, source?: ProgramSource): void {
    const known = this.#records.get(name);
    if (known === undefined) {
      if (this.#records.size >= PROGRAMS_MAX) {
        throw new BpfError(`register program ${name}`, `there are ${PROGRAMS_MAX} programs`, {
          errno: ERRNO.E2BIG,
          hint: "unregister some, or use fewer names",
        });
      }
      this.#records.set(name, new ProgramRecord(name, type, id, this.#clock.now_ms()));
    } else {
      if (!known.registered) known.startTime_ms = this.#clock.now_ms();
      known.registered = true;
      known.type = type;
      known.id = id;
    }
    if (source !== undefined) this.#sources.set(name, source);
  }

  /** Reads it a last time. Its totals stay exported; `getStats` no longer knows it. */
  unregisterProgram(name: string): boolean {
    const record = this.#records.get(name);
    if (record === undefined || !record.registered) return false;
    this.#read(record);
    this.#sources.delete(name);
    record.registered = false;
    record.totals.detached.add(1);
    return true;
  }

  /** Counts in user space. Throws `BpfError` for a name that is not registered. */
  incrementEventCounter(name: string, counter: EventCounter, amount = 1): void {
    if (!Number.isFinite(amount) || amount < 0) {
      throw new BpfError(`count events of ${name}`, `the amount is ${amount}`, {
        errno: ERRNO.EINVAL,
        hint: "give 0 or more",
      });
    }
    this.#required(name).increment(counter, amount);
  }

  recordProcessingTime(name: string, time_ns: number): void {
    if (!Number.isFinite(time_ns) || time_ns < 0) {
      throw new BpfError(`record a time of ${name}`, `it is ${time_ns} ns`, {
        errno: ERRNO.EINVAL,
        hint: "give 0 or more",
      });
    }
    this.#required(name).recordTime(this.#clock.now_ms(), time_ns);
  }

  updateRingBufferStats(name: string, ring: RingReading): void {
    this.#required(name).setRing(ring);
  }

  recordFailure(name: string, failure: "verificationFailures" | "attachFailures"): void {
    this.#required(name).totals[failure].add(1);
  }

  /** A snapshot; undefined for a name that is not registered. */
  getStats(name: string): BpfStatistics | undefined {
    const record = this.#records.get(name);
    return record?.registered ? record.statistics(this.#clock.now_ms()) : undefined;
  }

  getAllStats(): BpfStatistics[] {
    const now_ms = this.#clock.now_ms();
    return [...this.#records.values()]
      .filter(({ registered }) => registered)
      .map((record) => record.statistics(now_ms));
  }

  /** Every program that ever was, for exporters. */
  records(): Iterable<ProgramRecord> {
    return this.#records.values();
  }

  /** Reads every source once. */
  collect(): void {
    for (const record of this.#records.values()) if (record.registered) this.#read(record);
  }

  #read(record: ProgramRecord): void {
    const source = this.#sources.get(record.name);
    if (source === undefined) return;
    try {
      record.update(this.#clock.now_ms(), source.read());
    } catch (error) {
      // The one before stays; health sees that it grows old.
      this.#onError(record.name, error);
    }
  }

  #required(name: string): ProgramRecord {
    const record = this.#records.get(name);
    if (record?.registered) return record;
    throw new BpfError(`statistics of ${name}`, "no program of that name is registered", {
      errno: ERRNO.ENOENT,
      hint: `registered are ${[...this.#records.keys()].join(", ") || "none"}`,
    });
  }
}
