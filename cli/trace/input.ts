/** Reads a file as it is, or decompressed where it is zstd. */

import { createReadStream } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { constants, createZstdDecompress } from "node:zlib";
import { isSkippableFrame, ZstdFrameFollower } from "../zstd_frames.ts";

const CHUNK_BYTES = 256 * 1024;
const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** 128 MiB: what `zstd --long` makes, and the most that one input may cost us. */
const WINDOW_LOG_MAX = 27;

/**
 * The contents of `path` in chunks. What it is shows in its first bytes, not in its name. Throws
 * where a compressed file stops half-way or goes on with something else.
 */
export async function* readContents(path: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  try {
    const chunks = new Chunks(file);
    await chunks.ensure(ZSTD_MAGIC.length);
    if (startsFrame(chunks.rest)) yield* decompressAll(chunks);
    else {
      while (chunks.rest.length > 0) {
        yield chunks.rest;
        chunks.rest = EMPTY;
        await chunks.ensure(1);
      }
    }
  } finally {
    file.destroy();
  }
}

const EMPTY = new Uint8Array(0);

/** A stream whose next bytes can be looked at. */
class Chunks {
  /** What was read and not yet taken. */
  rest: Uint8Array = EMPTY;
  readonly #source: AsyncIterator<Uint8Array>;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Reads until `rest` has `length` bytes or the stream ends. */
  async ensure(length: number): Promise<void> {
    while (this.rest.length < length) {
      const { done, value } = await this.#source.next();
      if (done === true) return;
      this.rest = this.rest.length === 0 ? value : Buffer.concat([this.rest, value]);
    }
  }
}

function startsFrame(bytes: Uint8Array): boolean {
  return isSkippableFrame(bytes) || ZSTD_MAGIC.every((byte, index) => bytes[index] === byte);
}

async function* decompressAll(chunks: Chunks): AsyncGenerator<Uint8Array> {
  while (chunks.rest.length > 0) {
    if (!startsFrame(chunks.rest)) throw new Error("the compressed file goes on with other data");
    const frame = oneFrame(chunks);
    if (isSkippableFrame(chunks.rest)) for await (const _ of frame);
    else yield* decompressFrame(frame);
    await chunks.ensure(ZSTD_MAGIC.length);
  }
}

async function* decompressFrame(frame: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decompressor = createZstdDecompress({
    chunkSize: CHUNK_BYTES,
    params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
  });
  // Errors arrive through the iteration below.
  pipeline(Readable.from(frame, { objectMode: false }), decompressor, () => {});
  try {
    yield* decompressor as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw explained(error);
  }
}

/** The bytes up to the end of the frame that `chunks.rest` starts with. */
async function* oneFrame(chunks: Chunks): AsyncGenerator<Uint8Array> {
  const frame = new ZstdFrameFollower();
  do {
    await chunks.ensure(1);
    if (chunks.rest.length === 0) throw new Error("the compressed file is cut short");
    const end = frame.follow(chunks.rest, 0);
    if (end < 0) throw new Error("the compressed file is damaged");
    const part = chunks.rest.subarray(0, end);
    chunks.rest = chunks.rest.subarray(end);
    yield part;
  } while (!frame.atFrameEnd);
}

/** Decompressors blame what they stumbled over ("buffer is too small"); the file is to blame. */
function explained(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ZSTD_error_frameParameter_windowTooLarge") {
    const most = 2 ** (WINDOW_LOG_MAX - 20);
    return new Error(`the compressed file needs a window of more than ${most} MiB`, {
      cause: error,
    });
  }
  if (!code.startsWith("ZSTD_") && !code.startsWith("Z_")) return error;
  return new Error("the compressed file is damaged", { cause: error });
}
