/** Everything that is counted of one program, summed over CPUs, at one moment. */
import type { ProgramInfo, ProgramKind } from "../backend.ts";
import type { Books } from "./books.ts";
import type { CounterName } from "./statistics_map.ts";

/** Cumulative since the program was loaded, but for `in_flight` and `residual` of the books. */
export interface ProgramReading {
  readonly collector: string;
  readonly program: string;
  readonly kind: ProgramKind;
  readonly books: Books;
  readonly counters: Readonly<Record<CounterName, number>>;
  /** Bucket i counts timed runs of [2^i, 2^(i+1)) ns; the first also 0, the last all beyond. */
  readonly run_time_log2: Float64Array;
  readonly info: ProgramInfo;
}
