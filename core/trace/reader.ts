/**
 * Reads a trace, front to back, in memory that does not grow with it. Whatever is yielded has been
 * checked: checksum, sizes, ids, order of time, and at the end the trailer's totals.
 */

import { BpfError, ERRNO } from "../errors.ts";
import { BlockReader, type Decompress } from "./block_reader.ts";
import { ByteSource } from "./byte_source.ts";
import { TraceError, type TraceErrorReason } from "./error.ts";
import { type EventBlock, EventDecoder } from "./event_block.ts";
import { readFileHeader } from "./file_header.ts";
import {
  BLOCK_TYPE,
  LIMITS,
  LOSS_REASONS,
  LOSS_RECORD_BYTES,
  type Loss,
  TRAILER_FIXED_BYTES,
  type TraceTotals,
} from "./format.ts";
import { assertLittleEndianHost } from "./host.ts";
import { contextSizes, type TraceSchema } from "./schema.ts";
import type { BlockSource, StoredBlock } from "./stored_block.ts";
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
  readonly #blocks: BlockSource;
  readonly #definedSlots = new Uint8Array(LIMITS.taskSlots);
  readonly #events: EventDecoder;
  #started = false;
  #records = 0;
  #tasks = 0;
  #lost = 0;
  #first_ns = 0n;
  /** Where the block being decoded starts. */
  #offset = 0;

  /** The blocks become the reader's to close. */
  constructor(schema: TraceSchema, blocks: BlockSource) {
    assertLittleEndianHost();
    this.schema = schema;
    this.#blocks = blocks;
    this.#events = new EventDecoder(contextSizes(schema), schema.cpus, this.#definedSlots);
  }

  /** Reads the file header, and the blocks on this thread. On an error the source is closed. */
  static async open(
    source: AsyncIterable<Uint8Array>,
    options: TraceReaderOptions = {},
  ): Promise<TraceReader> {
    const bytes = new ByteSource(source);
    try {
      const schema = await readFileHeader(bytes);
      return new TraceReader(schema, new BlockReader(bytes, options.decompress));
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
    await this.#blocks.close();
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
        yield block;
        if (block.kind === "end") return;
      }
    } finally {
      await this.#blocks.close();
    }
  }

  #decode({ type, records, offset, raw }: StoredBlock): TraceBlock {
    this.#offset = offset;
    switch (type) {
      case BLOCK_TYPE.events:
        return this.#decodeEvents(records, raw);
      case BLOCK_TYPE.tasks:
        return this.#decodeTasks(records, raw);
      case BLOCK_TYPE.loss:
        return this.#decodeLoss(records, raw);
      case BLOCK_TYPE.trailer:
        return this.#decodeTrailer(records, raw);
      default:
        throw this.#error("corrupt", `no block has the type ${type}`);
    }
  }

  #decodeEvents(records: number, raw: Uint8Array): EventBlock {
    const problem = this.#events.decode(records, raw);
    if (problem !== null) throw this.#error("corrupt", problem);
    const block = this.#events.block;
    if (this.#records === 0) this.#first_ns = block.base_ns;
    this.#records += records;
    return block;
  }

  #decodeTasks(records: number, raw: Uint8Array): TaskBlock {
    this.#checkLength(records, TASK_RECORD_BYTES, raw.length);
    const view = viewOf(raw);
    const tasks: TaskDefinition[] = [];
    for (let at = 0; at < raw.length; at += TASK_RECORD_BYTES) {
      const task = decodeTask(raw, view, at);
      if (task === null) throw this.#error("corrupt", "a task definition is malformed");
      this.#definedSlots[task.slot] = 1;
      tasks.push(task);
    }
    this.#tasks += records;
    return { kind: "tasks", tasks };
  }

  #decodeLoss(records: number, raw: Uint8Array): LossBlock {
    this.#checkLength(records, LOSS_RECORD_BYTES, raw.length);
    const view = viewOf(raw);
    const losses: Loss[] = [];
    for (let at = 0; at < raw.length; at += LOSS_RECORD_BYTES) {
      const reason = LOSS_REASONS[view.getUint32(at, true)];
      const lost = Number(view.getBigUint64(at + 8, true));
      const reserved = view.getUint32(at + 4, true);
      this.#lost += lost;
      if (reason === undefined || reserved !== 0 || !Number.isSafeInteger(this.#lost)) {
        throw this.#error("corrupt", "a loss record is malformed");
      }
      losses.push({ reason, records: lost });
    }
    return { kind: "loss", losses };
  }

  #decodeTrailer(records: number, raw: Uint8Array): EndBlock {
    const { hooks } = this.schema;
    if (records !== hooks.length || raw.length !== TRAILER_FIXED_BYTES + 8 * hooks.length) {
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
    const view = viewOf(raw);
    const { tasks, lost, first_ns, last_ns } = totals;
    const found = [this.#records, tasks, lost, first_ns, last_ns, ...totals.recordsByHook];
    found.forEach((value, index) => {
      if (view.getBigUint64(8 * index, true) !== BigInt(value)) {
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
    return new TraceError("truncated", this.#blocks.offset, problem, hint);
  }

  #error(reason: TraceErrorReason, problem: string): TraceError {
    return new TraceError(reason, this.#offset, problem);
  }
}

function viewOf(raw: Uint8Array): DataView {
  return new DataView(raw.buffer, raw.byteOffset, raw.length);
}
