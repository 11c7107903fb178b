/** Where events went between the hook and the sinks, and what would have kept each. */
import type { Books } from "../pipeline/books.ts";

/** Every reason for which an event that was seen is not delivered. */
export const LOSS_REASONS = [
  "filtered",
  "rate_limited",
  "sampled_out",
  "ring_full",
  "ring_reserved",
  "malformed",
  "encoding_failed",
  "queue_full",
  "log_full",
  "log_failed",
  "sink_failed",
  "sink_rejected",
  "shutdown",
  "unobserved",
] as const;

export type LossReason = (typeof LOSS_REASONS)[number];

interface Remedy {
  /** The setting that decides. */
  readonly knob: string;
  /** How to turn it. */
  readonly advice: string;
  /** Whether somebody asked for it: no loss, but a decision. */
  readonly wanted: boolean;
}

export const REMEDIES: Readonly<Record<LossReason, Remedy>> = {
  filtered: {
    knob: "filters.rules",
    advice: "remove the rule that rejects them, or allow them (tapio-bpf filter ls)",
    wanted: true,
  },
  rate_limited: {
    knob: "rate_limits",
    advice: "raise the rate or the burst (tapio-bpf limit set)",
    wanted: true,
  },
  sampled_out: {
    knob: "sampling",
    advice: "raise the rate (tapio-bpf sample set); estimates weigh what was kept",
    wanted: true,
  },
  ring_full: {
    knob: "rings.bytes",
    advice: "make the ring larger, or send less: filter or sample more",
    wanted: false,
  },
  ring_reserved: {
    knob: "rings.reserved_share",
    advice: "make the ring larger (rings.bytes), or reserve less of it for errors",
    wanted: false,
  },
  malformed: {
    knob: "the object",
    advice: "rebuild it from the sources of this version: its records are none of this collector",
    wanted: false,
  },
  encoding_failed: {
    knob: "the object",
    advice:
      "report it with the schema (tapio-bpf schema): the encoder of a sink failed on these events",
    wanted: false,
  },
  queue_full: {
    knob: "batching.buffer_bytes",
    advice: "allow more memory for batches, or bring the sink back",
    wanted: false,
  },
  log_full: {
    knob: "log.max_bytes",
    advice: "allow a larger log, or bring the sink back",
    wanted: false,
  },
  log_failed: {
    knob: "log.path",
    advice: "free or repair the disk that the log is on",
    wanted: false,
  },
  sink_failed: {
    knob: "batching.max_retries",
    advice: "retry more often, or keep batches in a log (log.enabled) until the sink is back",
    wanted: false,
  },
  sink_rejected: {
    knob: "sinks",
    advice: "the destination refused them for good: look at its limits and its errors",
    wanted: false,
  },
  shutdown: {
    knob: "batching.shutdown_timeout_ms",
    advice: "give the sinks longer to drain at the end, or keep batches in a log",
    wanted: false,
  },
  unobserved: {
    knob: "the hook",
    advice: "the program was interrupted by itself: attach where it does not recurse",
    wanted: false,
  },
};

export interface WaterfallStep {
  readonly reason: LossReason;
  readonly count: number;
  /** Of what was seen. */
  readonly share: number;
  /** What is left after this step. */
  readonly left: number;
  readonly wanted: boolean;
  readonly knob: string;
  readonly advice: string;
}

export interface Waterfall {
  readonly seen: number;
  /** In the order in which events meet them; only reasons that occurred. */
  readonly steps: readonly WaterfallStep[];
  readonly in_flight: number;
  readonly delivered: number;
  readonly residual: number;
}

function countOf(books: Books, reason: LossReason): number {
  switch (reason) {
    case "filtered":
      return books.filtered;
    case "rate_limited":
      return books.rate_limited;
    case "sampled_out":
      return books.sampled_out;
    case "unobserved":
      return books.unobserved;
    default:
      return books.dropped[reason] ?? 0;
  }
}

/** Reasons that user space or a newer program counts and this version has no advice for. */
export function unknownReasons(books: Books): string[] {
  const known: readonly string[] = LOSS_REASONS;
  return Object.keys(books.dropped).filter((reason) => !known.includes(reason));
}

export function explainBooks(books: Books): Waterfall {
  let left = books.seen;
  const steps: WaterfallStep[] = [];
  for (const reason of LOSS_REASONS) {
    const count = countOf(books, reason);
    if (count === 0) continue;
    // Runs that the kernel skipped were never seen: they stand beside the books.
    if (reason !== "unobserved") left -= count;
    const share = books.seen === 0 ? 0 : count / books.seen;
    steps.push({ reason, count, share, left, ...REMEDIES[reason] });
  }
  const { seen, in_flight, delivered, residual } = books;
  return { seen, steps, in_flight, delivered, residual };
}
