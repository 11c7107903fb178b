/**
 * Reads a trace, front to back, in memory that does not grow with it. Whatever is yielded has been
 * checked: checksum, sizes, ids, order of time, and at the end the trailer's totals.
 */

import { BpfError, ERRNO, NotSupportedError } from "../errors.ts";
import { ByteSource } from "./byte_source.ts";
import { crc32c } from "./crc32c.ts";
import { TraceError, type TraceErrorReason } from "./error.ts";
import { type EventBlock, EventDecoder } from "./event_block.ts";
import {
  BLOCK_HEADER,
  BLOCK_TYPE,
  FILE_HEADER,
  FLAG_ZSTD,
  LIMITS,
  LOSS_REASONS,
  LOSS_RECORD_BYTES,
  type Loss,
  MAGIC,
  TRAILER_FIXED_BYTES,
  type TraceTotals,
  VERSION,
} from "./format.ts";
import { assertLittleEndianHost } from "./host.ts";
import { contextSizes, parseTraceSchema, type TraceSchema } from "./schema.ts";
import { decodeTask, TASK_RECORD_BYTES, type TaskDefinition } from "./task_facts.ts";

/** From here on these slots mean these tasks. */
export interface TaskBlock {
  readonly kind: "tasks";
  readonly tasks: readonly TaskDefinition[];
}

/** Records lost between the events before and those after this block. */
export interface LossBlock {
  readonly kind: "loss";
  readonly losses: readonly Loss[];
}

/** The last block of every whole trace. */
export interface EndBlock {
  readonly kind: "end";
  readonly totals: TraceTotals;
}

export type TraceBlock = TaskBlock | EventBlock | LossBlock | EndBlock;

export interface TraceReaderOptions {
  /**
   * Undoes zstd. Must refuse to produce more than `rawLength` bytes; what it returns is copied.
   * Without it, a compressed trace throws `NotSupportedError`.
   */
  readonly decompress?: (stored: Uint8Array, rawLength: number) => Uint8Array;
}

/**
 * `for await (const block of reader)` yields the blocks once; leaving the loop closes the source.
 * Throws `TraceError` at the first byte that is wrong; errors of the source pass through.
 */
export class TraceReader {
  readonly schema: TraceSchema;
  readonly #source: ByteSource;
  readonly #options: TraceReaderOptions;
  readonly #definedSlots = new Uint8Array(LIMITS.taskSlots);
  readonly #raw = new Uint8Array(LIMITS.blockBytes);
  readonly #rawView = new DataView(this.#raw.buffer);
  readonly #events: EventDecoder;
  #started = false;
  #sequence = 0;
  #records = 0;
  #tasks = 0;
  #lost = 0;
  #first_ns = 0n;
  /** Where the block being read starts. */
  #offset = 0;

  private constructor(source: ByteSource, schema: TraceSchema, options: TraceReaderOptions) {
    this.#source = source;
    this.schema = schema;
    this.#options = options;
    const sizes = contextSizes(schema);
    this.#events = new EventDecoder(sizes, schema.cpus, this.#definedSlots, this.#raw);
  }

  /** Reads the file header. On an error the source is closed. */
  static async open(
    source: AsyncIterable<Uint8Array>,
    options: TraceReaderOptions = {},
  ): Promise<TraceReader> {
    assertLittleEndianHost();
    const bytes = new ByteSource(source);
    try {
      return new TraceReader(bytes, await readFileHeader(bytes), options);
    } catch (error) {
      await bytes.close();
      throw error;
    }
  }

  /** Event records yielded so far. */
  get records(): number {
    return this.#records;
  }

  /** Closes the source; needed only where the blocks are not iterated. */
  async close(): Promise<void> {
    await this.#source.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TraceBlock, void, undefined> {
    if (this.#started) {
      throw new BpfError("read trace", "the blocks were read before", { errno: ERRNO.EBADF });
    }
    this.#started = true;
    const header = new Uint8Array(BLOCK_HEADER.size);
    const stored = new Uint8Array(LIMITS.blockBytes);
    try {
      for (;;) {
        const block = await this.#readBlock(header, stored);
        if (block.kind === "end") {
          if ((await this.#source.readInto(header, 1)) !== 0) {
            this.#offset = this.#source.offset - 1;
            throw this.#error("corrupt", "bytes follow the trailer");
          }
          yield block;
          return;
        }
        yield block;
      }
    } finally {
      await this.#source.close();
    }
  }

  async #readBlock(header: Uint8Array, stored: Uint8Array): Promise<TraceBlock> {
    this.#offset = this.#source.offset;
    const headerBytes = await this.#source.readInto(header, BLOCK_HEADER.size);
    if (headerBytes < BLOCK_HEADER.size) throw this.#truncated();
    const view = new DataView(header.buffer);
    const type = view.getUint8(BLOCK_HEADER.type);
    const compressed = view.getUint8(BLOCK_HEADER.flags) === FLAG_ZSTD;
    const records = view.getUint32(BLOCK_HEADER.records, true);
    const storedLength = view.getUint32(BLOCK_HEADER.storedLength, true);
    const rawLength = view.getUint32(BLOCK_HEADER.rawLength, true);
    if (storedLength > LIMITS.blockBytes || rawLength > LIMITS.blockBytes) {
      throw this.#error("limit", `a block is larger than ${LIMITS.blockBytes} bytes`);
    }
    // What is not compressed is read to where it is decoded.
    const target = compressed ? stored : this.#raw;
    const length = await this.#source.readInto(target, storedLength);
    if (length < storedLength) throw this.#truncated();
    const crc = crc32c(target, 0, length, crc32c(header, 0, BLOCK_HEADER.crc));
    if (crc !== view.getUint32(BLOCK_HEADER.crc, true)) {
      throw this.#error("corrupt", "a block's checksum does not match");
    }
    this.#checkHeader(view, compressed, storedLength, rawLength);
    if (records > LIMITS.blockRecords) {
      throw this.#error(
        "limit",
        `a block has ${records} records, not at most ${LIMITS.blockRecords}`,
      );
    }
    if (compressed) this.#decompress(stored.subarray(0, storedLength), rawLength);
    return this.#decode(type, records, rawLength);
  }

  /** Checks of a header that is as it was written, but perhaps by a wrong writer. */
  #checkHeader(view: DataView, compressed: boolean, storedLength: number, rawLength: number): void {
    const flags = view.getUint8(BLOCK_HEADER.flags);
    if ((flags & ~FLAG_ZSTD) !== 0 || view.getUint16(BLOCK_HEADER.reserved, true) !== 0) {
      throw this.#error("corrupt", "a block has unknown flags");
    }
    if (compressed ? storedLength >= rawLength : storedLength !== rawLength) {
      throw this.#error("corrupt", "a block's two lengths do not fit together");
    }
    if (view.getUint32(BLOCK_HEADER.sequence, true) !== this.#sequence) {
      throw this.#error("corrupt", "a block is missing, repeated or out of place");
    }
    this.#sequence++;
  }

  #decompress(stored: Uint8Array, rawLength: number): void {
    const { decompress } = this.#options;
    if (decompress === undefined) throw new NotSupportedError("zstd in traces", "");
    let raw: Uint8Array;
    try {
      raw = decompress(stored, rawLength);
    } catch {
      throw this.#error("corrupt", "a block does not decompress");
    }
    if (raw.length !== rawLength) {
      throw this.#error("corrupt", "a block decompresses to another length than it says");
    }
    this.#raw.set(raw);
  }

  #decode(type: number, records: number, rawLength: number): TraceBlock {
    switch (type) {
      case BLOCK_TYPE.events:
        return this.#decodeEvents(records, rawLength);
      case BLOCK_TYPE.tasks:
        return this.#decodeTasks(records, rawLength);
      case BLOCK_TYPE.loss:
        return this.#decodeLoss(records, rawLength);
      case BLOCK_TYPE.trailer:
        return this.#decodeTrailer(records, rawLength);
      default:
        throw this.#error("corrupt", `no block has the type ${type}`);
    }
  }

  #decodeEvents(records: number, rawLength: number): EventBlock {
    const problem = this.#events.decode(records, rawLength);
    if (problem !== null) throw this.#error("corrupt", problem);
    const block = this.#events.block;
    if (this.#records === 0) this.#first_ns = block.base_ns;
    this.#records += records;
    return block;
  }

  #decodeTasks(records: number, rawLength: number): TaskBlock {
    this.#checkLength(records, TASK_RECORD_BYTES, rawLength);
    const tasks: TaskDefinition[] = [];
    for (let at = 0; at < rawLength; at += TASK_RECORD_BYTES) {
      const task = decodeTask(this.#raw, this.#rawView, at);
      if (task === null) throw this.#error("corrupt", "a task definition is malformed");
      this.#definedSlots[task.slot] = 1;
      tasks.push(task);
    }
    this.#tasks += records;
    return { kind: "tasks", tasks };
  }

  #decodeLoss(records: number, rawLength: number): LossBlock {
    this.#checkLength(records, LOSS_RECORD_BYTES, rawLength);
    const losses: Loss[] = [];
    for (let at = 0; at < rawLength; at += LOSS_RECORD_BYTES) {
      const reason = LOSS_REASONS[this.#rawView.getUint32(at, true)];
      const lost = Number(this.#rawView.getBigUint64(at + 8, true));
      const reserved = this.#rawView.getUint32(at + 4, true);
      this.#lost += lost;
      if (reason === undefined || reserved !== 0 || !Number.isSafeInteger(this.#lost)) {
        throw this.#error("corrupt", "a loss record is malformed");
      }
      losses.push({ reason, records: lost });
    }
    return { kind: "loss", losses };
  }

  #decodeTrailer(records: number, rawLength: number): EndBlock {
    const { hooks } = this.schema;
    if (records !== hooks.length || rawLength !== TRAILER_FIXED_BYTES + 8 * hooks.length) {
      throw this.#error("corrupt", "the trailer does not fit the schema");
    }
    const totals: TraceTotals = {
      records: this.#records,
      tasks: this.#tasks,
      lost: this.#lost,
      first_ns: this.#first_ns,
      last_ns: this.#events.last_ns,
      recordsByHook: hooks.map(({ id }) => this.#events.recordsByHookId[id]!),
    };
    const { tasks, lost, first_ns, last_ns } = totals;
    const found = [this.#records, tasks, lost, first_ns, last_ns, ...totals.recordsByHook];
    found.forEach((value, index) => {
      if (this.#rawView.getBigUint64(8 * index, true) !== BigInt(value)) {
        throw this.#error("corrupt", "the trailer's totals differ from what the trace holds");
      }
    });
    return { kind: "end", totals };
  }

  #checkLength(records: number, recordBytes: number, rawLength: number): void {
    if (records === 0 || records * recordBytes !== rawLength) {
      throw this.#error("corrupt", "a block's length does not fit its record count");
    }
  }

  #truncated(): TraceError {
    const hint = "record or import it again";
    const problem = `the trace ends after ${this.#records} records without its trailer`;
    return new TraceError("truncated", this.#source.offset, problem, hint);
  }

  #error(reason: TraceErrorReason, problem: string): TraceError {
    return new TraceError(reason, this.#offset, problem);
  }
}

async function readFileHeader(source: ByteSource): Promise<TraceSchema> {
  const header = new Uint8Array(FILE_HEADER.size);
  const view = new DataView(header.buffer);
  const length = await source.readInto(header, header.length);
  const magicFound = header.subarray(0, Math.min(length, MAGIC.length));
  if (!magicFound.every((byte, index) => byte === MAGIC[index])) {
    throw new TraceError("corrupt", 0, "this is not a trace", "make one with `trace import`");
  }
  if (length < header.length) {
    throw new TraceError("truncated", length, "the trace ends within its header");
  }
  const version = view.getUint16(FILE_HEADER.version, true);
  if (version !== VERSION) {
    const hint = version > VERSION ? "update tapio-bpf" : "record or import it again";
    const problem = `the trace has format version ${version}, this reads version ${VERSION}`;
    throw new TraceError("version", FILE_HEADER.version, problem, hint);
  }
  const jsonLength = view.getUint32(FILE_HEADER.schemaLength, true);
  if (jsonLength > LIMITS.schemaBytes) {
    const problem = `the schema is longer than ${LIMITS.schemaBytes} bytes`;
    throw new TraceError("limit", FILE_HEADER.schemaLength, problem);
  }
  const json = new Uint8Array(jsonLength);
  if ((await source.readInto(json, jsonLength)) < jsonLength) {
    throw new TraceError("truncated", source.offset, "the trace ends within its header");
  }
  const crc = crc32c(json, 0, jsonLength, crc32c(header, 0, FILE_HEADER.crc));
  if (crc !== view.getUint32(FILE_HEADER.crc, true)) {
    throw new TraceError("corrupt", 0, "the header's checksum does not match");
  }
  if (view.getUint16(FILE_HEADER.reserved, true) !== 0) {
    throw new TraceError("corrupt", FILE_HEADER.reserved, "the header has unknown flags");
  }
  return parseTraceSchema(json, FILE_HEADER.size);
}
