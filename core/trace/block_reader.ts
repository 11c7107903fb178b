/** Reads a trace's blocks as they are stored: header, checksum, decompression. */

import { NotSupportedError } from "../errors.ts";
import type { ByteSource } from "./byte_source.ts";
import { crc32c } from "./crc32c.ts";
import { TraceError, type TraceErrorReason } from "./error.ts";
import { BLOCK_HEADER, BLOCK_TYPE, FLAG_ZSTD, LIMITS } from "./format.ts";
import type { BlockSource, StoredBlock } from "./stored_block.ts";

/** Undoes zstd. Must refuse to produce more than `rawLength` bytes. */
export type Decompress = (stored: Uint8Array, rawLength: number) => Uint8Array;

export class BlockReader implements BlockSource {
  readonly #source: ByteSource;
  readonly #decompress: Decompress | undefined;
  readonly #header = new Uint8Array(BLOCK_HEADER.size);
  readonly #view = new DataView(this.#header.buffer);
  readonly #stored = new Uint8Array(LIMITS.blockBytes);
  #sequence: number;

  /** The source stands behind the file header, or behind the block before that of number `sequence`. */
  constructor(source: ByteSource, decompress: Decompress | undefined, sequence = 0) {
    this.#source = source;
    this.#decompress = decompress;
    this.#sequence = sequence;
  }

  /** Number of the next block. */
  get sequence(): number {
    return this.#sequence;
  }

  get offset(): number {
    return this.#source.offset;
  }

  async next(): Promise<StoredBlock | undefined> {
    const offset = this.#source.offset;
    const header = this.#view;
    const headerBytes = await this.#source.readInto(this.#header, BLOCK_HEADER.size);
    if (headerBytes < BLOCK_HEADER.size) return undefined;
    const storedLength = header.getUint32(BLOCK_HEADER.storedLength, true);
    const rawLength = header.getUint32(BLOCK_HEADER.rawLength, true);
    if (storedLength > LIMITS.blockBytes || rawLength > LIMITS.blockBytes) {
      throw new TraceError("limit", offset, `a block is larger than ${LIMITS.blockBytes} bytes`);
    }
    const stored = this.#stored.subarray(0, storedLength);
    const length = await this.#source.readInto(stored, storedLength);
    if (length < storedLength) return undefined;
    this.#checkHeader(offset, crc32c(stored, 0, length, crc32c(this.#header, 0, BLOCK_HEADER.crc)));
    const compressed = header.getUint8(BLOCK_HEADER.flags) === FLAG_ZSTD;
    const type = header.getUint8(BLOCK_HEADER.type);
    const raw = compressed ? this.#decompressed(stored, rawLength, offset) : stored;
    if (type === BLOCK_TYPE.trailer) await this.#checkEnd();
    return { type, records: header.getUint32(BLOCK_HEADER.records, true), offset, raw };
  }

  async close(): Promise<void> {
    await this.#source.close();
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

  #decompressed(stored: Uint8Array, rawLength: number, offset: number): Uint8Array {
    if (this.#decompress === undefined) throw new NotSupportedError("zstd in traces", "");
    let raw: Uint8Array;
    try {
      raw = this.#decompress(stored, rawLength);
    } catch {
      throw new TraceError("corrupt", offset, "a block does not decompress");
    }
    if (raw.length === rawLength) return raw;
    const problem = "a block decompresses to another length than it says";
    throw new TraceError("corrupt", offset, problem);
  }

  /** Nothing follows the trailer. */
  async #checkEnd(): Promise<void> {
    const offset = this.#source.offset;
    if ((await this.#source.readInto(new Uint8Array(1), 1)) === 0) return;
    throw new TraceError("corrupt", offset, "bytes follow the trailer");
  }
}
