/** The zstd codec of traces, by Node's zlib. */

import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Blocks are at most 1 MiB, so a larger window would only cost every reader memory. */
const WINDOW_LOG = 20;
/** Higher levels save a few percent of a trace and cost several times the time. */
const LEVEL = 3;
/** What zlib takes for a chunk at least. */
const CHUNK_BYTES_MIN = 64;

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

/** Decompresses one block of a trace, for `BlockReader`; throws where it exceeds `rawLength`. */
export function decompressBlock(stored: Uint8Array, rawLength: number): Uint8Array {
  const raw = zstdDecompressSync(stored, {
    maxOutputLength: Math.max(1, rawLength),
    // One byte of room left says that this was all: no second call, and nothing to put together.
    chunkSize: Math.max(CHUNK_BYTES_MIN, rawLength + 1),
    params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG },
  });
  // No Buffer, whose slices are no copies.
  return new Uint8Array(raw.buffer, raw.byteOffset, raw.length);
}
