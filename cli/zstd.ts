/** The zstd codec of traces, by Node's zlib. */

import { promisify } from "node:util";
import { constants, zstdCompressSync, zstdDecompress } from "node:zlib";

/** Blocks are at most 1 MiB, so a larger window would only cost every reader memory. */
const WINDOW_LOG = 20;
/** Higher levels save a few percent of a trace and cost several times the time. */
const LEVEL = 3;
/** What zlib takes for a chunk at least. */
const CHUNK_BYTES_MIN = 64;

const decompress = promisify(zstdDecompress);

/** Compresses one block of a trace, for `TraceWriter`. */
export function compressBlock(raw: Uint8Array): Uint8Array {
  return zstdCompressSync(raw, {
    pledgedSrcSize: raw.length,
    params: {
      [constants.ZSTD_c_compressionLevel]: LEVEL,
      [constants.ZSTD_c_windowLog]: WINDOW_LOG,
    },
  });
}

/** Decompresses one block of a trace off this thread, for `TraceReader`; rejects where it exceeds `rawLength`. */
export function decompressBlock(stored: Uint8Array, rawLength: number): Promise<Uint8Array> {
  return decompress(stored, {
    maxOutputLength: Math.max(1, rawLength),
    // One byte of room left says that this was all: no second call, and nothing to put together.
    chunkSize: Math.max(CHUNK_BYTES_MIN, rawLength + 1),
    params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG },
  });
}
