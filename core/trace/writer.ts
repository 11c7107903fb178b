/**
 * Writes a trace, front to back: no seek, no file, no clock. Compression and output are passed in.
 */

import { BpfError, ERRNO } from "../errors.ts";
import { crc32c } from "./crc32c.ts";
import { EventBuffer } from "./event_buffer.ts";
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
import { contextSizes, type TraceSchema, traceSchema } from "./schema.ts";
import { encodeTask, TASK_RECORD_BYTES, type TaskFacts } from "./task_facts.ts";
import { TaskSlots, TraceTask } from "./task_slots.ts";

export interface TraceWriterOptions {
  readonly schema: TraceSchema;
  /** Takes the next bytes of the trace; they are valid during the call only. */
  readonly write: (bytes: Uint8Array) => void;
  /** One zstd frame with a window of at most 1 MiB. Default: blocks are stored as they are. */
  readonly compress?: (raw: Uint8Array) => Uint8Array;
  /** Tasks that a reader must hold at once; default and at most 65,536. */
  readonly taskSlots?: number;
  /** Records that make a block full; default and at most 4,096. */
  readonly blockRecords?: number;
}

/**
 * Events must come in time order. Blocks are written as they fill up; a trace is whole only after
 * `finish()`. A failing `write` or `compress` ends the writer: what is there is a truncated trace.
 */
export class TraceWriter {
  readonly #options: TraceWriterOptions;
  readonly #sizes: Uint32Array;
  readonly #events: EventBuffer;
  readonly #slots: TaskSlots;
  /** Tasks that got a slot which the next event block uses. */
  #definitions: TraceTask[] = [];
  /** By slot: 1 + the sequence number of the last event block using it. */
  readonly #usedBy: Uint32Array;
  #eventBlocks = 0;
  readonly #header = new Uint8Array(BLOCK_HEADER.size);
  readonly #headerView = new DataView(this.#header.buffer);
  readonly #raw = new Uint8Array(LIMITS.blockBytes);
  readonly #rawView = new DataView(this.#raw.buffer);
  #state: "open" | "finished" | "failed" = "open";
  #sequence = 0;
  #bytes = 0;
  #records = 0;
  #tasks = 0;
  #lost = 0;
  #firstHigh = 0;
  #firstLow = 0;
  #lastHigh = 0;
  #lastLow = 0;
  readonly #recordsByHookId = new Float64Array(LIMITS.hooks);

  /** Writes the file header. Throws where schema or sizes are outside the format's limits. */
  constructor(options: TraceWriterOptions) {
    assertLittleEndianHost();
    const { taskSlots = LIMITS.taskSlots, blockRecords = LIMITS.blockRecords } = options;
    assertWithin("task slots", taskSlots, 1, LIMITS.taskSlots);
    assertWithin("records in a block", blockRecords, 1, LIMITS.blockRecords);
    const schema = traceSchema.safeParse(options.schema);
    if (!schema.success) throw invalid(`schema: ${schema.error.issues[0]?.message ?? "invalid"}`);
    this.#options = options;
    this.#sizes = contextSizes(schema.data);
    this.#events = new EventBuffer(blockRecords);
    this.#slots = new TaskSlots(taskSlots);
    this.#usedBy = new Uint32Array(taskSlots);
    this.#guarded(() => this.#writeFileHeader(schema.data));
  }

  /** Bytes written so far. */
  get bytesWritten(): number {
    return this.#bytes;
  }

  /** Event records appended so far. */
  get records(): number {
    return this.#records;
  }

  /** Makes facts usable in `append`. Slots are given on use; two calls make two tasks. */
  task(facts: TaskFacts): TraceTask {
    return new TraceTask(facts);
  }

  /**
   * Appends an event; the context is copied. The time, CLOCK_MONOTONIC (or the schema's clock) in
   * ns, comes as two u32 halves, so that no event costs a BigInt. Throws `BpfError` EINVAL, and
   * appends nothing, for an unknown hook or CPU, a short context, or a time before the last one.
   */
  append(
    timeHigh: number,
    timeLow: number,
    cpu: number,
    task: TraceTask,
    hook: number,
    context: Uint8Array,
    offset = 0,
  ): void {
    const size = this.#sizes[hook] ?? 0;
    if (this.#state !== "open") throw invalid(`the writer is ${this.#state}`);
    if (size === 0) throw invalid(`no hook has the id ${hook}`);
    if (!(cpu >= 0 && cpu < this.#options.schema.cpus)) throw invalid(`no CPU ${cpu}`);
    if (!(offset >= 0 && offset + size <= context.length))
      throw invalid("the context is too short");
    if (timeHigh < this.#lastHigh || (timeHigh === this.#lastHigh && timeLow < this.#lastLow)) {
      throw invalid("an event is older than the one before it");
    }
    if (!this.#events.fits(timeHigh, timeLow, size)) this.#guarded(() => this.#flushEvents());
    this.#use(task);
    this.#events.push(timeHigh, timeLow, cpu, task.slot, hook, context, offset, size);
    if (this.#records === 0) {
      this.#firstHigh = timeHigh;
      this.#firstLow = timeLow;
    }
    this.#lastHigh = timeHigh;
    this.#lastLow = timeLow;
    this.#records++;
    this.#recordsByHookId[hook]!++;
  }

  /** States that records were lost between the event appended last and the next one. */
  loss(losses: readonly Loss[]): void {
    if (this.#state !== "open") throw invalid(`the writer is ${this.#state}`);
    assertWithin("loss counts", losses.length, 1, LIMITS.blockRecords);
    for (const { records } of losses) {
      assertWithin("lost records", records, 0, Number.MAX_SAFE_INTEGER - this.#lost);
    }
    this.#guarded(() => {
      this.#flushEvents();
      losses.forEach(({ reason, records }, index) => {
        const at = index * LOSS_RECORD_BYTES;
        this.#rawView.setUint32(at, LOSS_REASONS.indexOf(reason), true);
        this.#rawView.setUint32(at + 4, 0, true);
        this.#rawView.setBigUint64(at + 8, BigInt(records), true);
        this.#lost += records;
      });
      this.#writeBlock(BLOCK_TYPE.loss, losses.length, losses.length * LOSS_RECORD_BYTES);
    });
  }

  /** Writes what is pending and the trailer. Nothing can be appended afterwards. */
  finish(): TraceTotals {
    if (this.#state !== "open") throw invalid(`the writer is ${this.#state}`);
    const totals = this.#totals();
    this.#guarded(() => {
      this.#flushEvents();
      this.#writeTrailer({ ...totals, tasks: this.#tasks });
    });
    this.#state = "finished";
    return { ...totals, tasks: this.#tasks };
  }

  /** Sees to it that the task has a slot, and that the event block being filled may refer to it. */
  #use(task: TraceTask): void {
    if (this.#slots.owns(task)) this.#slots.touch(task.slot);
    else {
      // Definitions come before the block, so a slot that the block uses cannot change hands.
      if (this.#usedBy[this.#slots.next] === this.#eventBlocks + 1) {
        this.#guarded(() => this.#flushEvents());
      }
      this.#slots.assign(task);
      this.#definitions.push(task);
    }
    this.#usedBy[task.slot] = this.#eventBlocks + 1;
  }

  #flushEvents(): void {
    if (this.#events.count === 0) return;
    this.#writeDefinitions();
    const length = this.#events.encode(this.#raw, this.#rawView);
    this.#writeBlock(BLOCK_TYPE.events, this.#events.count, length);
    this.#events.count = 0;
    this.#eventBlocks++;
  }

  #writeDefinitions(): void {
    const definitions = this.#definitions;
    for (let start = 0; start < definitions.length; start += LIMITS.blockRecords) {
      const part = definitions.slice(start, start + LIMITS.blockRecords);
      part.forEach((task, index) => {
        const at = index * TASK_RECORD_BYTES;
        encodeTask(this.#raw, this.#rawView, at, task.slot, task.facts);
      });
      this.#writeBlock(BLOCK_TYPE.tasks, part.length, part.length * TASK_RECORD_BYTES);
      this.#tasks += part.length;
    }
    this.#definitions = [];
  }

  #totals(): TraceTotals {
    return {
      records: this.#records,
      tasks: this.#tasks,
      lost: this.#lost,
      first_ns: (BigInt(this.#firstHigh) << 32n) | BigInt(this.#firstLow),
      last_ns: (BigInt(this.#lastHigh) << 32n) | BigInt(this.#lastLow),
      recordsByHook: this.#options.schema.hooks.map(({ id }) => this.#recordsByHookId[id]!),
    };
  }

  #writeTrailer(totals: TraceTotals): void {
    const { records, tasks, lost, first_ns, last_ns, recordsByHook } = totals;
    const words = [BigInt(records), BigInt(tasks), BigInt(lost), first_ns, last_ns];
    words.push(...recordsByHook.map((count) => BigInt(count)));
    words.forEach((word, index) => {
      this.#rawView.setBigUint64(8 * index, word, true);
    });
    const length = TRAILER_FIXED_BYTES + 8 * recordsByHook.length;
    this.#writeBlock(BLOCK_TYPE.trailer, recordsByHook.length, length);
  }

  #writeFileHeader(schema: TraceSchema): void {
    const json = new TextEncoder().encode(JSON.stringify(schema));
    assertWithin("bytes of the schema", json.length, 0, LIMITS.schemaBytes);
    const bytes = new Uint8Array(FILE_HEADER.size + json.length);
    const view = new DataView(bytes.buffer);
    bytes.set(MAGIC, FILE_HEADER.magic);
    view.setUint16(FILE_HEADER.version, VERSION, true);
    view.setUint32(FILE_HEADER.schemaLength, json.length, true);
    bytes.set(json, FILE_HEADER.size);
    const crc = crc32c(json, 0, json.length, crc32c(bytes, 0, FILE_HEADER.crc));
    view.setUint32(FILE_HEADER.crc, crc, true);
    this.#emit(bytes);
  }

  /** Writes the first `rawLength` bytes of `#raw` as a block, compressed where that is shorter. */
  #writeBlock(type: number, records: number, rawLength: number): void {
    let stored: Uint8Array = this.#raw.subarray(0, rawLength);
    let flags = 0;
    const compressed = this.#options.compress?.(stored);
    if (compressed !== undefined && compressed.length < rawLength) {
      stored = compressed;
      flags = FLAG_ZSTD;
    }
    const view = this.#headerView;
    view.setUint8(BLOCK_HEADER.type, type);
    view.setUint8(BLOCK_HEADER.flags, flags);
    view.setUint32(BLOCK_HEADER.sequence, this.#sequence++, true);
    view.setUint32(BLOCK_HEADER.records, records, true);
    view.setUint32(BLOCK_HEADER.storedLength, stored.length, true);
    view.setUint32(BLOCK_HEADER.rawLength, rawLength, true);
    const headerCrc = crc32c(this.#header, 0, BLOCK_HEADER.crc);
    view.setUint32(BLOCK_HEADER.crc, crc32c(stored, 0, stored.length, headerCrc), true);
    this.#emit(this.#header);
    this.#emit(stored);
  }

  #emit(bytes: Uint8Array): void {
    this.#options.write(bytes);
    this.#bytes += bytes.length;
  }

  /** Runs `action`; where it throws, the output may have a hole, so the writer is done for. */
  #guarded(action: () => void): void {
    const before = this.#state;
    this.#state = "failed";
    action();
    this.#state = before;
  }
}

function invalid(problem: string): BpfError {
  return new BpfError("write trace", problem, { errno: ERRNO.EINVAL });
}

function assertWithin(what: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw invalid(`${what}: ${value} is outside ${low} to ${high}`);
}
