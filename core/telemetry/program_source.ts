/** Where a registered program's numbers come from. */
import type { ProgramReading } from "../pipeline/program_reading.ts";
import type { Total } from "./program_record.ts";

export interface RingReading {
  readonly size_bytes: number;
  readonly used_bytes: number;
}

/** One consistent look at a program. Totals are cumulative since it was loaded. */
export interface SourceReading {
  /** Of the loaded program: another id counts from 0. */
  readonly id: number;
  readonly totals: Readonly<Partial<Record<Total, number>>>;
  /** By reason. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly in_flight: number;
  readonly residual: number;
  /** As `ProgramReading`'s. */
  readonly run_time_log2: ArrayLike<number>;
  readonly timed_ns: number;
  readonly ring?: RingReading;
  readonly mapMemory_bytes?: number;
  readonly instructions?: number;
  readonly verifiedInstructions?: number;
  readonly verifierLog_bytes?: number;
  readonly filters?: { readonly pid: number; readonly namespace: number; readonly network: number };
}

export interface ProgramSource {
  read(): SourceReading;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** What the pipeline counted, as a reading. */
export function sourceReading(
  { books, counters, info, run_time_log2 }: ProgramReading,
  more: Pick<SourceReading, "ring" | "mapMemory_bytes" | "filters"> & {
    readonly batchesSent?: number;
  },
): SourceReading {
  const { batchesSent = 0, ...rest } = more;
  return {
    id: info.id,
    totals: {
      received: books.seen,
      processed: books.delivered,
      dropped: sum(books.dropped),
      filtered: books.filtered,
      rateLimited: books.rate_limited,
      sampled: books.sampled_out,
      batched: counters.events_sent,
      unobserved: books.unobserved,
      programErrors: counters.errors,
      runs: info.runCount,
      runTime_ns: info.runTime_ns,
      batchesSent,
    },
    dropped: books.dropped,
    in_flight: books.in_flight,
    residual: books.residual,
    run_time_log2,
    timed_ns: counters.timed_run_ns,
    instructions: info.instructions,
    verifiedInstructions: info.verifiedInstructions,
    ...rest,
  };
}
