/**
 * `trace import`: a tab-separated recording becomes a trace in time order.
 *
 * Text recordings are written in the order in which per-CPU buffers were drained, so events are
 * sorted on disk: memory does not depend on the length of the recording.
 */

import { renameSync } from "node:fs";
import { basename } from "node:path";
import { BpfError } from "#core/errors.ts";
import { LINUX_6_18_HOOKS } from "#core/trace/linux_hooks.ts";
import type { TraceSchema } from "#core/trace/schema.ts";
import type { TraceWriter } from "#core/trace/writer.ts";
import { RECORD, type RecordSink } from "./trace/import_record.ts";
import { readContents } from "./trace/input.ts";
import { LINE_BYTES_MAX, LineSplitter } from "./trace/line_splitter.ts";
import { mergeRuns } from "./trace/run_merge.ts";
import { type Scratch, withScratch } from "./trace/scratch.ts";
import { SortedRuns, SortMemory } from "./trace/sorted_runs.ts";
import { SystemCallPairs } from "./trace/system_call_pairs.ts";
import { TaskCache } from "./trace/task_cache.ts";
import { TsvParser } from "./trace/tsv_parser.ts";
import { fileError, writeTraceFile } from "./trace_file.ts";

export interface TraceImportOptions {
  /** A recording, plain or compressed with zstd. */
  readonly input: string;
  /** Where the trace goes. It appears whole or not at all, and replaces what is there. */
  readonly output: string;
  /** Takes lines about the progress. */
  readonly log: (line: string) => void;
  /** Bytes sorted in memory at once; default 32 MiB. */
  readonly runBytes?: number;
  /** Sorted runs merged at once; default 128. */
  readonly fanIn?: number;
}

export interface TraceImportSummary {
  /** Lines read, by kind. */
  readonly lines: { readonly S: number; readonly R: number; readonly Y: number };
  /** Events written: one for an S or an R, two for a Y. */
  readonly records: number;
  /** System calls moved behind the previous exit of their thread, which they overlapped. */
  readonly adjusted: number;
  /** Tasks defined. */
  readonly tasks: number;
  /** Size of the trace. */
  readonly bytes: number;
  readonly elapsed_s: number;
}

const RUN_BYTES = 32 << 20;

/**
 * Imports a recording. Needs free space beside `output` of about three times the text. Throws
 * `BpfError` in one line, with the number of the line where one is to blame; then, and on a signal,
 * nothing is left behind.
 */
export async function traceImport(options: TraceImportOptions): Promise<TraceImportSummary> {
  const operation = `trace import ${options.input}`;
  try {
    return await withScratch(options.output, (scratch) => importIn(scratch, options, operation));
  } catch (error) {
    throw fileError(operation, error);
  }
}

async function importIn(
  scratch: Scratch,
  options: TraceImportOptions,
  operation: string,
): Promise<TraceImportSummary> {
  const started_ms = performance.now();
  const memory = new SortMemory(options.runBytes ?? RUN_BYTES);
  const lines = new SortedRuns(memory, (index) => scratch.file(`lines-${index}`));
  const parser = new TsvParser(operation, (record, length) => lines.push(record, length));
  await readLines(operation, options.input, parser);
  lines.finish();
  const { counts } = parser;
  options.log(`read ${counts.S + counts.R + counts.Y} lines`);
  const events = new SortedRuns(memory, (index) => scratch.file(`events-${index}`));
  const pairs = new SystemCallPairs((record, length) => events.push(record, length));
  await mergeRuns(lines, (record, length) => pairs.push(record, length), options.fanIn);
  events.finish();
  const written = await writeTrace(options, scratch.file("trace"), events, parser.cpus);
  renameSync(scratch.file("trace"), options.output);
  options.log(`wrote ${written.records} events`);
  const elapsed_s = (performance.now() - started_ms) / 1000;
  return { lines: { ...counts }, ...written, adjusted: pairs.adjusted, elapsed_s };
}

async function readLines(operation: string, input: string, parser: TsvParser): Promise<void> {
  let line = 0;
  const splitter = new LineSplitter((bytes, start, end) => parser.parse(bytes, start, end, ++line));
  for await (const chunk of readContents(input)) {
    if (splitter.push(chunk)) continue;
    throw new BpfError(operation, `line ${line + 1}: longer than ${LINE_BYTES_MAX} bytes`);
  }
  if (splitter.pendingBytes === 0) return;
  const problem = `line ${line + 1}: the file ends within it`;
  const hint = "record it again, or end the line if it is whole";
  throw new BpfError(operation, problem, { hint });
}

async function writeTrace(
  options: TraceImportOptions,
  path: string,
  events: SortedRuns,
  cpus: number,
): Promise<Pick<TraceImportSummary, "records" | "tasks" | "bytes">> {
  const schema = schemaOf(options.input, cpus);
  const { records, tasks, bytes } = await writeTraceFile(path, schema, (writer) =>
    mergeRuns(events, appender(writer, schema), options.fanIn),
  );
  if (records === events.records) return { records, tasks, bytes };
  throw new Error(`${events.records} events were sorted, ${records} written`);
}

/** Appends records to the trace, with their contexts filled up to full length. */
function appender(writer: TraceWriter, schema: TraceSchema): RecordSink {
  const tasks = new TaskCache(writer);
  const context = new Uint8Array(Math.max(...schema.hooks.map(({ size }) => size)));
  return (record, length) => {
    const view = new DataView(record.buffer, record.byteOffset, length);
    context.fill(0);
    for (let i = RECORD.context; i < length; i++) context[i - RECORD.context] = record[i]!;
    const timeHigh = view.getUint32(RECORD.timeHigh, true);
    const timeLow = view.getUint32(RECORD.timeLow, true);
    const cpu = view.getUint16(RECORD.cpu, true);
    const task = tasks.find(record, view.getUint32(RECORD.tid, true));
    writer.append(timeHigh, timeLow, cpu, task, view.getUint8(RECORD.hook), context);
  };
}

function schemaOf(input: string, cpus: number): TraceSchema {
  return {
    source: `imported from ${basename(input)}; system call arguments were not recorded`,
    // What the layouts below are those of; the recording itself does not say.
    kernel: "6.18",
    machine: "x86_64",
    cpus,
    clock: "monotonic",
    taskFacts: ["pid", "tid", "cgroup_id", "comm"],
    hooks: Object.values(LINUX_6_18_HOOKS).map((hook) => ({ ...hook, fields: [...hook.fields] })),
  };
}
