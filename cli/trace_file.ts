/** Traces as files: the core's reader and writer with Node's files and zstd plugged in. */

import { closeSync, fsyncSync, openSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { BpfError } from "#core/errors.ts";
import { BlockReader } from "#core/trace/block_reader.ts";
import { ByteSource } from "#core/trace/byte_source.ts";
import { readFileHeader } from "#core/trace/file_header.ts";
import type { TraceTotals } from "#core/trace/format.ts";
import { TraceReader } from "#core/trace/reader.ts";
import type { TraceSchema } from "#core/trace/schema.ts";
import { TraceWriter } from "#core/trace/writer.ts";
import { HandedOverBlocks } from "./trace/handed_over_blocks.ts";
import { writeAll } from "./trace/sorted_runs.ts";
import { ThreadedBlocks } from "./trace/threaded_blocks.ts";
import { compressBlock, decompressBlock } from "./zstd.ts";

const CHUNK_BYTES = 256 * 1024;
/** A thread takes about as long to start as to read so much. */
const THREADED_BYTES_MIN = 4 * 1024 * 1024;

/**
 * Opens a trace and reads its header. The file is closed when the blocks were iterated (whole or
 * not), or by `close()`. Throws `BpfError` where there is no such file, `TraceError` where it is no
 * good trace.
 */
export async function openTrace(path: string): Promise<TraceReader> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    return await readerOf(file);
  } catch (error) {
    await file?.close();
    throw fileError(`read trace ${path}`, error);
  }
}

/** Of a larger file another thread reads the blocks; of one that comes through a pipe, this thread. */
async function readerOf(file: FileHandle): Promise<TraceReader> {
  const facts = await file.stat();
  const threaded = facts.isFile() && facts.size >= THREADED_BYTES_MIN && availableParallelism() > 1;
  const bytes = new ByteSource(threaded ? chunksOf(file) : closing(file));
  const schema = await readFileHeader(bytes);
  const here = new BlockReader(bytes, decompressBlock);
  if (!threaded) return new TraceReader(schema, here);
  return new TraceReader(schema, new HandedOverBlocks(here, new ThreadedBlocks(file)));
}

async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES);
    if (bytesRead === 0) return;
    yield chunk.subarray(0, bytesRead);
  }
}

/** Closes the file at its end, or when it is left. */
async function* closing(file: FileHandle): AsyncGenerator<Uint8Array> {
  try {
    yield* chunksOf(file);
  } finally {
    await file.close();
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
