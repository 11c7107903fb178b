/**
 * Reads a trace's blocks as they are stored: header, checksum, decompression. One block is read ahead, so that it
 * decompresses elsewhere while the one before is worked on.
 */

import { NotSupportedError } from "../errors.ts";
import type { ByteSource } from "./byte_source.ts";
import { crc32c } from "./crc32c.ts";
import { TraceError, type TraceErrorReason } from "./error.ts";
import { BLOCK_HEADER, BLOCK_TYPE, FLAG_ZSTD, LIMITS } from "./format.ts";

/**
 * Undoes zstd. Must refuse to produce more than `rawLength` bytes; `stored` stays as it is until the result is there.
 */
export type Decompress = (
  stored: Uint8Array,
  rawLength: number,
) => Uint8Array | Promise<Uint8Array>;

/** A block whose checksum and lengths are right. */
export interface StoredBlock {
  readonly type: number;
  readonly records: number;
  /** Where it starts in the trace, in bytes. */
  readonly offset: number;
  /** The payload, decompressed; valid until the next block but one is read. */
  readonly raw: Uint8Array;
}

/** A block whose payload may still be decompressing. */
type Begun = Omit<StoredBlock, "raw"> & { readonly raw: Promise<Uint8Array> };

export class BlockReader {
  readonly #source: ByteSource;
  readonly #decompress: Decompress | undefined;
  readonly #header = new Uint8Array(BLOCK_HEADER.size);
  readonly #view = new DataView(this.#header.buffer);
  /** In turns: while the bytes of one block are decompressed, those of the next are read. */
  readonly #stored = [
    new Uint8Array(LIMITS.blockBytes),
    new Uint8Array(LIMITS.blockBytes),
  ] as const;
  #sequence = 0;
  /** What was read ahead, or why it could not be. */
  #ahead: Promise<Begun | undefined> | undefined;

  constructor(source: ByteSource, decompress: Decompress | undefined) {
    this.#source = source;
    this.#decompress = decompress;
  }

  /** The next block; undefined where the source ends before it does. Throws `TraceError`. */
  async next(): Promise<StoredBlock | undefined> {
    const begun = await (this.#ahead ?? this.#begin());
    this.#ahead = undefined;
    if (begun === undefined) return undefined;
    if (begun.type !== BLOCK_TYPE.trailer) await this.#readAhead();
    return { ...begun, raw: await begun.raw };
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    const begun = await this.#ahead?.catch(() => undefined);
    await begun?.raw.catch(() => undefined);
  }

  /** Until decompression has begun. An error is the next block's, and shows when that is asked for. */
  async #readAhead(): Promise<void> {
    this.#ahead = this.#begin();
    await this.#ahead.catch(() => undefined);
  }

  async #begin(): Promise<Begun | undefined> {
    const offset = this.#source.offset;
    const header = this.#view;
    const headerBytes = await this.#source.readInto(this.#header, BLOCK_HEADER.size);
    if (headerBytes < BLOCK_HEADER.size) return undefined;
    const storedLength = header.getUint32(BLOCK_HEADER.storedLength, true);
    const rawLength = header.getUint32(BLOCK_HEADER.rawLength, true);
    if (storedLength > LIMITS.blockBytes || rawLength > LIMITS.blockBytes) {
      throw new TraceError("limit", offset, `a block is larger than ${LIMITS.blockBytes} bytes`);
    }
    const target = this.#stored[this.#sequence % 2]!;
    const length = await this.#source.readInto(target, storedLength);
    if (length < storedLength) return undefined;
    this.#checkHeader(offset, crc32c(target, 0, length, crc32c(this.#header, 0, BLOCK_HEADER.crc)));
    const stored = target.subarray(0, storedLength);
    const compressed = header.getUint8(BLOCK_HEADER.flags) === FLAG_ZSTD;
    const raw = compressed
      ? this.#decompressed(stored, rawLength, offset)
      : Promise.resolve(stored);
    // Whoever awaits it gets the error; it may come before that.
    raw.catch(() => undefined);
    const type = header.getUint8(BLOCK_HEADER.type);
    return { type, records: header.getUint32(BLOCK_HEADER.records, true), offset, raw };
  }

  /** The checksum, and what a header can have wrong as it was written, by a wrong writer. */
  #checkHeader(offset: number, crc: number): void {
    const header = this.#view;
    const fault = (problem: string, reason: TraceErrorReason = "corrupt"): TraceError =>
      new TraceError(reason, offset, problem);
    if (crc !== header.getUint32(BLOCK_HEADER.crc, true)) {
      throw fault("a block's checksum does not match");
    }
    const flags = header.getUint8(BLOCK_HEADER.flags);
    if ((flags & ~FLAG_ZSTD) !== 0 || header.getUint16(BLOCK_HEADER.reserved, true) !== 0) {
      throw fault("a block has unknown flags");
    }
    const storedLength = header.getUint32(BLOCK_HEADER.storedLength, true);
    const rawLength = header.getUint32(BLOCK_HEADER.rawLength, true);
    if (flags === FLAG_ZSTD ? storedLength >= rawLength : storedLength !== rawLength) {
      throw fault("a block's two lengths do not fit together");
    }
    if (header.getUint32(BLOCK_HEADER.sequence, true) !== this.#sequence) {
      throw fault("a block is missing, repeated or out of place");
    }
    this.#sequence++;
    const records = header.getUint32(BLOCK_HEADER.records, true);
    if (records > LIMITS.blockRecords) {
      const problem = `a block has ${records} records, not at most ${LIMITS.blockRecords}`;
      throw fault(problem, "limit");
    }
  }

  async #decompressed(stored: Uint8Array, rawLength: number, offset: number): Promise<Uint8Array> {
    if (this.#decompress === undefined) throw new NotSupportedError("zstd in traces", "");
    let raw: Uint8Array;
    try {
      raw = await this.#decompress(stored, rawLength);
    } catch {
      throw new TraceError("corrupt", offset, "a block does not decompress");
    }
    if (raw.length === rawLength) return raw;
    const problem = "a block decompresses to another length than it says";
    throw new TraceError("corrupt", offset, problem);
  }
}
