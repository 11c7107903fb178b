/** Cuts a window out of a trace: the events of a span of time, with whole system calls only. */

import { renameSync } from "node:fs";
import { BpfError, ERRNO } from "#core/errors.ts";
import type { TraceReader } from "#core/trace/reader.ts";
import type { TraceSchema } from "#core/trace/schema.ts";
import { TraceWriter } from "#core/trace/writer.ts";
import { withScratch } from "./trace/scratch.ts";
import { EventCopier, HalfCalls, visitWindow, type Window } from "./trace/window.ts";
import { fileError, openTrace, writeTraceFile } from "./trace_file.ts";
import { compressBlock } from "./zstd.ts";

export interface TraceCutOptions {
  readonly input: string;
  /** Appears whole or not at all; may be `input`. */
  readonly output: string;
  /** Start of the window after the first event; default 0. */
  readonly from_s?: number;
  /** Length of the window; default to the end. */
  readonly duration_s?: number;
  /** The most that the output may have; the window ends early where it would have more. */
  readonly maxBytes?: number;
}

export interface TraceCutSummary {
  /** Events written, in all and by hook. */
  readonly records: number;
  readonly recordsByHook: Readonly<Record<string, number>>;
  /** Enters and exits of system calls left out, as the other half lies outside the window. */
  readonly halves: number;
  readonly tasks: number;
  readonly bytes: number;
  /** From the first to the last event. */
  readonly duration_s: number;
}

const END_OF_TIME_NS = 2n ** 64n;
/** What a cut adds to the description of the source. */
const CUT = "; cut";
/** Below this, not even one block of ordinary events fits. */
const LEAST_BYTES = 64 * 1024;

/** Cuts a trace. Throws `BpfError` (EINVAL) for a window without events, and as `openTrace` does. */
export async function traceCut(options: TraceCutOptions): Promise<TraceCutSummary> {
  const operation = `trace cut ${options.input}`;
  checkOptions(operation, options);
  const { maxBytes = Number.POSITIVE_INFINITY } = options;
  try {
    return await withScratch(options.output, async (scratch) => {
      let window = await askedWindow(options);
      if (maxBytes < Number.POSITIVE_INFINITY) {
        window = { ...window, end_ns: await endWithin(options.input, window, maxBytes) };
        if (window.end_ns <= window.start_ns) {
          throw invalid(operation, `the window's first block exceeds ${maxBytes} bytes`);
        }
      }
      for (let attempt = 0; ; attempt++) {
        const path = scratch.file(`trace-${attempt}`);
        const summary = await writeWindow(operation, options.input, window, path);
        if (summary.bytes <= maxBytes) {
          renameSync(path, options.output);
          return summary;
        }
        // Leaving out halves moved events between blocks, which may compress worse.
        window = {
          ...window,
          end_ns: window.end_ns - (window.end_ns - window.start_ns) / 50n - 1n,
        };
      }
    });
  } catch (error) {
    throw fileError(operation, error);
  }
}

function checkOptions(operation: string, options: TraceCutOptions): void {
  const { from_s = 0, duration_s = 1, maxBytes = LEAST_BYTES } = options;
  const check = (valid: boolean, problem: string): void => {
    if (!valid) throw invalid(operation, problem);
  };
  check(from_s >= 0 && Number.isFinite(from_s), `a window cannot start at ${from_s} s`);
  check(duration_s > 0, `a window cannot be ${duration_s} s long`);
  check(maxBytes >= LEAST_BYTES, `a trace of at most ${maxBytes} bytes; ask for ${LEAST_BYTES}`);
}

function invalid(operation: string, problem: string): BpfError {
  return new BpfError(operation, problem, { errno: ERRNO.EINVAL });
}

/** What the options ask for, in absolute time. */
async function askedWindow(options: TraceCutOptions): Promise<Window> {
  const { from_s = 0, duration_s = Number.POSITIVE_INFINITY } = options;
  let first_ns = 0n;
  for await (const block of await openTrace(options.input)) {
    if (block.kind !== "events") continue;
    first_ns = block.base_ns;
    break;
  }
  const start_ns = first_ns + BigInt(Math.round(from_s * 1e9));
  if (duration_s === Number.POSITIVE_INFINITY) return { start_ns, end_ns: END_OF_TIME_NS };
  return { start_ns, end_ns: start_ns + BigInt(Math.round(duration_s * 1e9)) };
}

/** Where the window has to end so that its events, halves included, take at most `maxBytes`. */
async function endWithin(input: string, window: Window, maxBytes: number): Promise<bigint> {
  const reader = await openTrace(input);
  let bytes = 0;
  const write = (part: Uint8Array): void => {
    bytes += part.length;
  };
  const writer = new TraceWriter({ schema: cutSchema(reader), write, compress: compressBlock });
  // The trailer does not compress.
  const budget = maxBytes - 64 - 8 * reader.schema.hooks.length;
  const copier = new EventCopier(writer);
  let end_ns = window.end_ns;
  let blockStart_ns = window.start_ns;
  await visitWindow(reader, window, {
    tasks: (tasks) => copier.define(tasks),
    event: (block, index) => {
      const before = bytes;
      copier.append(block, index);
      if (bytes === before) return;
      // The block before this event was written; where it was too much, the window ends before it.
      if (bytes > budget && end_ns === window.end_ns) end_ns = blockStart_ns;
      blockStart_ns = block.base_ns + BigInt(block.timeDeltas_ns[index]!);
    },
  });
  writer.finish();
  return bytes > maxBytes && end_ns === window.end_ns ? blockStart_ns : end_ns;
}

async function writeWindow(
  operation: string,
  input: string,
  window: Window,
  path: string,
): Promise<TraceCutSummary> {
  const halves = await findHalves(await openTrace(input), window);
  const reader = await openTrace(input);
  const schema = cutSchema(reader);
  const totals = await writeTraceFile(path, schema, async (writer) => {
    const copier = new EventCopier(writer);
    await visitWindow(reader, window, {
      tasks: (tasks) => copier.define(tasks),
      event: (block, index, ordinal) => {
        if (!halves.has(ordinal)) copier.append(block, index);
      },
      loss: (losses) => writer.loss(losses),
    });
  });
  const { records, tasks, bytes, recordsByHook, first_ns, last_ns } = totals;
  if (records === 0) throw invalid(operation, "no events in the window");
  const byHook = schema.hooks.map(({ hook }, index) => [hook, recordsByHook[index]!] as const);
  return {
    records,
    recordsByHook: Object.fromEntries(byHook),
    halves: halves.size,
    tasks,
    bytes,
    duration_s: Number(last_ns - first_ns) / 1e9,
  };
}

async function findHalves(reader: TraceReader, window: Window): Promise<ReadonlySet<number>> {
  const idOf = (name: string): number =>
    reader.schema.hooks.find(({ hook }) => hook === `tracepoint/raw_syscalls/${name}`)?.id ?? -1;
  const halves = new HalfCalls(idOf("sys_enter"), idOf("sys_exit"));
  await visitWindow(reader, window, halves);
  return halves.ordinals();
}

function cutSchema({ schema }: TraceReader): TraceSchema {
  return schema.source.endsWith(CUT) ? schema : { ...schema, source: `${schema.source}${CUT}` };
}
