/** What `run` ends in: one JSON document, or a table for people. */

import type { BatchStatistics } from "#core/batching/batch_statistics.ts";
import { addBooks, type Books, balanced, EMPTY_BOOKS } from "#core/pipeline/books.ts";
import type { CollectorPipeline, ProgramBooks } from "#core/pipeline/collector_pipeline.ts";
import type { EventReservoir } from "#core/sampling/event_reservoirs.ts";
import type { LiveEstimate } from "#core/sampling/live_estimates.ts";
import type { ChosenHook } from "#kernel/choose_hooks.ts";
import { formatCount, formatTable } from "../table.ts";
import { formatEstimates } from "./format_estimates.ts";
import { formatReservoirs } from "./format_reservoirs.ts";
import { describeHook } from "./hooks.ts";
import { deliveryOf } from "./parts/batching.ts";
import { estimatesOf } from "./parts/estimates.ts";
import { reservoirsOf } from "./parts/reservoirs.ts";
import type { Running } from "./running.ts";

export interface RunReport {
  readonly backend: "wasm" | "kernel";
  readonly engine: string;
  readonly collectors: readonly string[];
  readonly books: Books;
  /** Delivered events by name. */
  readonly events: Readonly<Record<string, number>>;
  readonly elapsed_s: number;
  /** Gaps in the sequence numbers of delivered events. */
  readonly missing_sequences: number;
  /** Records that could not be read as an event of their collector. */
  readonly malformed: number;
  readonly programs: readonly ProgramBooks[];
  /** How the programs were attached; absent on a simulated kernel. */
  readonly hooks?: readonly ChosenHook[];
  /** What was replayed or generated; absent on a real kernel. */
  readonly source?: SourceSummary;
  /** What the events delivered since sampling began stand for, by name; absent where nothing was sampled. */
  readonly estimates?: Readonly<Record<string, LiveEstimate>>;
  /** Samples of fixed size, by event type and epoch; absent where none is configured. */
  readonly reservoirs?: readonly EventReservoir[];
  /** Batches and how long they took; absent where no sink is configured. */
  readonly delivery?: BatchStatistics;
}

export interface SourceSummary {
  readonly name: string;
  readonly records: number;
  /** Records of hooks that no collector of this run attaches to. */
  readonly unattached: number;
  /** Virtual time from the first record to the last. */
  readonly span_s: number;
  /** Records that the recorder knows it lost. */
  readonly lost: number;
}

export interface RunFacts {
  readonly backend: "wasm" | "kernel";
  readonly engine: string;
  readonly elapsed_s: number;
  readonly source?: SourceSummary;
}

function seenAnything(row: ProgramBooks): boolean {
  return row.books.seen > 0 || row.books.unobserved > 0 || row.books.residual !== 0;
}

export function createReport(pipelines: readonly CollectorPipeline[], facts: RunFacts): RunReport {
  const events: Record<string, number> = {};
  let books = EMPTY_BOOKS;
  let missing = 0;
  let malformed = 0;
  const programs: ProgramBooks[] = [];
  for (const pipeline of pipelines) {
    for (const [name, count] of Object.entries(pipeline.events())) {
      events[name] = (events[name] ?? 0) + count;
    }
    const rows = pipeline.programBooks();
    for (const row of rows) books = addBooks(books, row.books);
    programs.push(...rows.filter(seenAnything));
    missing += pipeline.missingSequences();
    malformed += pipeline.malformed;
  }
  const { source, ...rest } = facts;
  return {
    backend: rest.backend,
    engine: rest.engine,
    collectors: pipelines.map((pipeline) => pipeline.spec.name),
    books,
    events,
    elapsed_s: rest.elapsed_s,
    missing_sequences: missing,
    malformed,
    programs,
    ...(source === undefined ? {} : { source }),
  };
}

/** The report of a run in progress, or of one that just ended. */
export function reportOf(running: Running, source?: SourceSummary): RunReport {
  const { kind, engine } = running.backend;
  const delivery = deliveryOf(running)?.getStats();
  const report = createReport(running.pipelines, {
    backend: kind,
    engine,
    elapsed_s: running.elapsed_s(),
    ...(source === undefined ? {} : { source }),
  });
  const estimates = Object.fromEntries(estimatesOf(running).estimates());
  const reservoirs = reservoirsOf(running);
  return {
    ...report,
    ...(running.hooks === undefined ? {} : { hooks: running.hooks }),
    ...(Object.keys(estimates).length === 0 ? {} : { estimates }),
    ...(reservoirs === undefined ? {} : { reservoirs }),
    ...(delivery === undefined ? {} : { delivery }),
  };
}

function booksRows(books: Books): (readonly string[])[] {
  const dropped = Object.entries(books.dropped).map(
    ([reason, count]) => [`dropped (${reason})`, formatCount(count)] as const,
  );
  return [
    ["seen", formatCount(books.seen)],
    ["filtered", formatCount(books.filtered)],
    ["rate limited", formatCount(books.rate_limited)],
    ["sampled out", formatCount(books.sampled_out)],
    ...dropped,
    ["delivered", formatCount(books.delivered)],
    ["in flight", formatCount(books.in_flight)],
    ["residual", formatCount(books.residual)],
    ["unobserved runs", formatCount(books.unobserved)],
  ];
}

function programRows(programs: readonly ProgramBooks[]): (readonly string[])[] {
  const head = ["program", "cpu", "seen", "filtered", "dropped", "delivered", "residual"];
  const rows = programs.map(({ collector, program, cpu, books }) => {
    const dropped = Object.values(books.dropped).reduce((total, count) => total + count, 0);
    const counts = [books.seen, books.filtered, dropped, books.delivered, books.residual];
    return [`${collector}/${program}`, String(cpu), ...counts.map(formatCount)];
  });
  return [head, ...rows];
}

const hookLine = (chosen: ChosenHook): string =>
  `  ${chosen.collector}/${chosen.program}: ${describeHook(chosen)}`;

/** The report as text for a terminal. */
export function formatReport(report: RunReport): string {
  const rate = report.elapsed_s > 0 ? report.books.seen / report.elapsed_s : 0;
  const verdict = balanced(report.programs) ? "balance" : "DO NOT BALANCE";
  const lines = [
    `${report.collectors.join(", ")} on ${report.backend} (${report.engine}): ` +
      `${report.elapsed_s.toFixed(2)} s, ${formatCount(Math.round(rate))} events/s`,
  ];
  if (report.source !== undefined) {
    const { name, records, span_s, lost } = report.source;
    lines.push(
      `${name}: ${formatCount(records)} records over ${span_s.toFixed(1)} s, ` +
        `${formatCount(lost)} lost while recording`,
    );
  }
  const events = Object.entries(report.events).map(([name, n]) => [name, formatCount(n)] as const);
  lines.push("", "events delivered", formatTable(events));
  if (report.estimates !== undefined) {
    lines.push("", "since sampling began they stand for", formatEstimates(report.estimates));
  }
  if (report.reservoirs !== undefined) {
    lines.push("", "samples of fixed size", formatReservoirs(report.reservoirs));
  }
  lines.push("", `the books ${verdict}`, formatTable(booksRows(report.books)));
  lines.push("", formatTable(programRows(report.programs)));
  if (report.hooks !== undefined) lines.push("", "hooks", ...report.hooks.map(hookLine));
  return lines.join("\n");
}
