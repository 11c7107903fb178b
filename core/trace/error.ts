/** What can be wrong with a trace. */

import { BpfError, ERRNO } from "../errors.ts";

/**
 * - `corrupt`: bytes differ from what was written, or were never written by a correct writer.
 * - `truncated`: the trace stops before its trailer.
 * - `version`: a trace, but of a format version this code does not read.
 * - `limit`: well-formed, but larger than the format allows.
 */
export type TraceErrorReason = "corrupt" | "truncated" | "version" | "limit";

/** A trace cannot be read (further). Everything yielded before the error was checked and is good. */
export class TraceError extends BpfError {
  readonly reason: TraceErrorReason;
  /** Byte of the trace at which the part that failed starts. */
  readonly offset: number;
  /** What is wrong, without the place. */
  readonly problem: string;

  constructor(reason: TraceErrorReason, offset: number, problem: string, hint?: string) {
    super("read trace", `${problem} (${reason} at byte ${offset})`, {
      errno: reason === "version" ? ERRNO.EOPNOTSUPP : ERRNO.EINVAL,
      ...(hint === undefined ? {} : { hint }),
    });
    this.name = "TraceError";
    this.reason = reason;
    this.offset = offset;
    this.problem = problem;
  }
}
