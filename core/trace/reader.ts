/**
 * Reads a trace, front to back, in memory that does not grow with it. Whatever is yielded has been
 * checked: checksum, sizes, ids, order of time, and at the end the trailer's totals.
 */

import { BpfError, ERRNO } from "../errors.ts";
import { BlockReader, type Decompress, type StoredBlock } from "./block_reader.ts";
import { ByteSource } from "./byte_source.ts";
import { crc32c } from "./crc32c.ts";
import { TraceError, type TraceErrorReason } from "./error.ts";
import { type EventBlock, EventDecoder } from "./event_block.ts";
import {
  BLOCK_TYPE,
  FILE_HEADER,
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
  /** Without it, a compressed trace throws `NotSupportedError`. */
  readonly decompress?: Decompress;
}

/**
 * `for await (const block of reader)` yields the blocks once; leaving the loop closes the source.
 * Throws `TraceError` at the first byte that is wrong; errors of the source pass through.
 */
export class TraceReader {
  readonly schema: TraceSchema;
  readonly #source: ByteSource;
  readonly #blocks: BlockReader;
  readonly #definedSlots = new Uint8Array(LIMITS.taskSlots);
  readonly #raw = new Uint8Array(LIMITS.blockBytes);
  readonly #rawView = new DataView(this.#raw.buffer);
  readonly #events: EventDecoder;
  #started = false;
  #records = 0;
  #tasks = 0;
  #lost = 0;
  #first_ns = 0n;
  /** Where the block being decoded starts. */
  #offset = 0;

  private constructor(source: ByteSource, schema: TraceSchema, options: TraceReaderOptions) {
    this.#source = source;
    this.schema = schema;
    this.#blocks = new BlockReader(source, options.decompress);
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
    try {
      for (;;) {
        const read = await this.#blocks.next();
        if (read === undefined) throw this.#truncated();
        const block = this.#decode(read);
        if (block.kind === "end") await this.#checkEnd();
        yield block;
        if (block.kind === "end") return;
      }
    } finally {
      await this.#blocks.idle();
      await this.#source.close();
    }
  }

  async #checkEnd(): Promise<void> {
    if ((await this.#source.readInto(new Uint8Array(1), 1)) === 0) return;
    this.#offset = this.#source.offset - 1;
    throw this.#error("corrupt", "bytes follow the trailer");
  }

  #decode({ type, records, offset, raw }: StoredBlock): TraceBlock {
    this.#offset = offset;
    this.#raw.set(raw);
    const rawLength = raw.length;
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
