/** Traces as files: the core's reader and writer with Node's files and zstd plugged in. */

import { closeSync, createReadStream, fsyncSync, openSync } from "node:fs";
import { BpfError } from "#core/errors.ts";
import type { TraceTotals } from "#core/trace/format.ts";
import { TraceReader } from "#core/trace/reader.ts";
import type { TraceSchema } from "#core/trace/schema.ts";
import { TraceWriter } from "#core/trace/writer.ts";
import { writeAll } from "./trace/sorted_runs.ts";
import { compressBlock, decompressBlock } from "./zstd.ts";

const CHUNK_BYTES = 256 * 1024;

/**
 * Opens a trace and reads its header. The file is closed when the blocks were iterated (whole or
 * not), or by `close()`. Throws `BpfError` where there is no such file, `TraceError` where it is no
 * good trace.
 */
export async function openTrace(path: string): Promise<TraceReader> {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  try {
    return await TraceReader.open(file, { decompress: decompressBlock });
  } catch (error) {
    throw fileError(`read trace ${path}`, error);
  }
}

/**
 * Writes a new trace file: `fill` appends its events; the rest, down to the disk, is done here. An
 * error leaves a part of the file behind, so let `path` lie in a `Scratch` and rename it.
 */
export async function writeTraceFile(
  path: string,
  schema: TraceSchema,
  fill: (writer: TraceWriter) => Promise<void>,
): Promise<TraceTotals & { readonly bytes: number }> {
  const file = openSync(path, "wx");
  try {
    const write = (bytes: Uint8Array): void => writeAll(file, bytes, bytes.length);
    const writer = new TraceWriter({ schema, write, compress: compressBlock });
    await fill(writer);
    const totals = writer.finish();
    fsyncSync(file);
    return { ...totals, bytes: writer.bytesWritten };
  } finally {
    closeSync(file);
  }
}

/** An error of ours as it is; one of the system as a line that says what was being done. */
export function fileError(operation: string, error: unknown): BpfError {
  if (error instanceof BpfError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new BpfError(operation, reason, { cause: error });
}
