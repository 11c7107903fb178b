/**
 * The write-ahead log: batches go to the end of the newest segment, cursors read them from wherever
 * they lie, and a segment is deleted once every consumer has acknowledged all of it.
 *
 * Everything that touches the disk but reading happens in one lane, one thing after the other. A
 * segment that a write or a sync failed on is abandoned: nothing more is written to it, and what was not
 * yet synced is written again, to a new one.
 */
import { BpfError } from "../../errors.ts";
import { crc32c } from "../../trace/crc32c.ts";
import { AppendQueue, type AppendRequest } from "./append_queue.ts";
import type { AppendResult, BatchLog, LogCursor, LogRecord, LogStatistics } from "./batch_log.ts";
import { type CursorLog, WriteAheadCursor } from "./log_cursor.ts";
import { Consumer, type LogEntry, type LogIndex } from "./log_index.ts";
import { type CompleteLogOptions, DEFAULT_LOG_OPTIONS, type LogOptions } from "./log_options.ts";
import { recoverLog } from "./log_recovery.ts";
import { readFully } from "./log_storage.ts";
import type { Segment } from "./segment.ts";
import { decodeRecordHeader, RECORD_HEADER_BYTES } from "./segment_format.ts";
import { SegmentStore } from "./segment_store.ts";
import { Waiters } from "./waiters.ts";

/** Written at once; more waits for the next round. */
const CHUNK_BYTES = 4 << 20;

export class WriteAheadLog implements BatchLog, CursorLog {
  readonly index: LogIndex<Segment>;
  closed = false;
  readonly #options: CompleteLogOptions;
  readonly #store: SegmentStore;
  readonly #queue = new AppendQueue();
  readonly #waiters = new Waiters();
  readonly #cursors = new Map<string, WriteAheadCursor>();
  readonly #headers: Map<number, Uint8Array>;
  readonly #schema: number;
  #unlock: () => Promise<void>;
  #lane: Promise<unknown> = Promise.resolve();
  #working = false;
  #cancelSync: (() => void) | undefined;
  #cancelPositions: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #batchesAppended = 0;
  #eventsAppended = 0;
  #bytesAppended = 0;
  #batchesRefused = 0;
  #eventsRefused = 0;
  #batchesCorrupt: number;

  private constructor(
    options: LogOptions,
    recovered: Awaited<ReturnType<typeof recoverLog>>,
    unlock: () => Promise<void>,
  ) {
    this.#options = { ...DEFAULT_LOG_OPTIONS, ...options };
    this.index = recovered.index;
    this.#headers = recovered.headers;
    this.#schema = crc32c(options.header);
    this.#batchesCorrupt = recovered.corrupt;
    this.#unlock = unlock;
    this.#store = new SegmentStore(this.#options, recovered);
  }

  /**
   * Takes the folder and what earlier processes left in it. Rejects where another process has it, or it
   * cannot be read.
   */
  static async open(options: LogOptions): Promise<WriteAheadLog> {
    const unlock = await options.storage.lock();
    try {
      const recovered = await recoverLog(options.storage, options.header, options.consumers);
      const log = new WriteAheadLog(options, recovered, unlock);
      if (options.sync !== "never") await log.#store.sync();
      log.released();
      return log;
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  /** One after the other; the lane itself never rejects. */
  #run<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#lane.then(action);
    this.#lane = result.catch(() => {});
    return result;
  }

  append(payload: Uint8Array, count: number, signal?: AbortSignal): Promise<AppendResult> {
    if (this.#closing !== undefined) {
      return Promise.resolve(this.#refused(count, "closed", "the log is closed"));
    }
    if (this.#queue.length >= this.#options.queue_max) {
      return Promise.resolve(this.#refused(count, "log_full", "too many appends wait"));
    }
    const result = this.#queue.push(payload, count, signal, () => this.#wake());
    this.#wake();
    return result;
  }

  #refused(
    count: number,
    reason: "log_full" | "log_failed" | "closed",
    problem: string,
  ): AppendResult {
    this.#batchesRefused++;
    this.#eventsRefused += count;
    return { status: "refused", reason, problem };
  }

  #wake(): void {
    if (this.#working) return;
    this.#working = true;
    void this.#run(async () => {
      this.#working = false;
      await this.#appendQueued();
    });
  }

  /** Appends what waits, until nothing does or the head has to wait for room. */
  async #appendQueued(): Promise<void> {
    for (;;) {
      for (const request of this.#queue.takeAborted()) {
        request.resolve(
          this.#refused(request.count, "log_full", "given up while waiting for room"),
        );
      }
      const head = this.#queue.first;
      if (head === undefined) return;
      if (!(await this.#store.ready())) {
        this.#refuseAll("log_failed", this.#store.problem);
        return;
      }
      const room = await this.#makeRoom(RECORD_HEADER_BYTES + head.payload.length);
      if (room === "wait") return;
      // `ready` says whether it is worth another try.
      if (room === "failed") continue;
      if (room === "full") {
        this.#queue.shift();
        const problem = `at its size cap of ${this.#options.max_bytes} bytes`;
        head.resolve(this.#refused(head.count, "log_full", problem));
        continue;
      }
      await this.#appendChunk(this.#queue.chunk(Math.min(room, CHUNK_BYTES)));
    }
  }

  #refuseAll(reason: "log_failed" | "closed", problem: string): void {
    for (let head = this.#queue.shift(); head !== undefined; head = this.#queue.shift()) {
      head.resolve(this.#refused(head.count, reason, problem));
    }
  }

  /** Bytes that may be appended now, at least `needed`; else what to do with the head. */
  async #makeRoom(needed: number): Promise<number | "wait" | "full" | "failed"> {
    const { when_full } = this.#options;
    const store = this.#store;
    if (store.overhead + needed > store.limit) return "full";
    // Every round but the last begins, finishes or deletes a segment.
    for (;;) {
      if (store.bytes + needed <= store.limit) {
        if (store.fits(needed)) return store.room(needed);
        if (!(await store.roll())) return "failed";
      } else if (!(await store.collect(this.#positions()))) {
        // What is deleted is whole segments: the newest has to be finished first.
        const only = when_full === "drop_oldest" && store.onlyActive && store.activeHasRecords;
        if (store.activeIsDone || only) {
          if (!(await store.roll())) return "failed";
        } else if (when_full !== "drop_oldest") {
          return when_full === "block" ? "wait" : "full";
        } else if (!store.dropOldest()) {
          return "full";
        }
      }
    }
  }

  async #appendChunk(requests: readonly AppendRequest[]): Promise<void> {
    const accepted = await this.#store.append(requests, this.#schema);
    if (accepted === undefined) return;
    for (const [i, request] of requests.entries()) {
      const { keySegment, sequence } = accepted[i]!;
      this.#queue.shift();
      this.#batchesAppended++;
      this.#eventsAppended += request.count;
      this.#bytesAppended += request.payload.length;
      request.resolve({ status: "accepted", segment: keySegment, sequence });
    }
    this.#waiters.wake();
    this.#planSync();
  }

  #planSync(): void {
    const { sync, sync_bytes, sync_interval_ms, clock } = this.#options;
    if (sync !== "group" || this.#store.unsyncedBytes === 0) return;
    if (this.#store.unsyncedBytes >= sync_bytes) {
      this.#cancelSync?.();
      this.#cancelSync = undefined;
      void this.#run(() => this.#store.sync());
      return;
    }
    this.#cancelSync ??= clock.after(sync_interval_ms, () => {
      this.#cancelSync = undefined;
      void this.#run(() => this.#store.sync());
    });
  }

  cursor(consumer: string): LogCursor {
    let cursor = this.#cursors.get(consumer);
    if (cursor === undefined) {
      let state = this.index.consumers.get(consumer);
      if (state === undefined) {
        // Whatever is still there has not been sent to it.
        state = new Consumer(
          consumer,
          (this.index.first?.sequence ?? this.#store.nextSequence) - 1,
        );
        this.index.consumers.set(consumer, state);
      }
      cursor = new WriteAheadCursor(this, state);
      this.#cursors.set(consumer, cursor);
    }
    return cursor;
  }

  changed(signal: AbortSignal | undefined): Promise<void> {
    return this.#waiters.wait(signal);
  }

  async read(entry: LogEntry<Segment>): Promise<LogRecord | undefined> {
    const { keySegment: segment, sequence, count, schema } = entry;
    const header = this.#headers.get(schema)!;
    const from = entry.segment;
    const payload = this.#store.retained.get(sequence) ?? (await readPayload(entry));
    if (payload !== undefined) return { segment, sequence, count, header, payload };
    if (entry.gone) return undefined;
    // It moved to another segment while it was read.
    if (entry.segment !== from) return this.read(entry);
    this.#batchesCorrupt++;
    this.index.remove(entry);
    this.released();
    return undefined;
  }

  #positions() {
    const acknowledged: Record<string, number> = {};
    for (const { name, position } of this.index.consumers.values()) acknowledged[name] = position;
    return acknowledged;
  }

  released(): void {
    this.#cancelPositions ??= this.#options.clock.after(this.#options.position_interval_ms, () => {
      this.#cancelPositions = undefined;
      void this.#run(() => this.#store.savePositions(this.#positions()));
    });
    if (!this.#store.canDelete && this.#queue.length === 0) return;
    void this.#run(async () => {
      await this.#store.collect(this.#positions());
      await this.#appendQueued();
    });
  }

  async sync(): Promise<void> {
    const done = await this.#run(() => this.#store.sync());
    if (!done)
      throw new BpfError("sync the log", this.#store.problem, {
        hint: "make room or mend the disk",
      });
  }

  fill(): number {
    const { max_bytes, segment_bytes } = this.#options;
    const used = this.#store.bytes - segment_bytes;
    return Math.min(1, Math.max(0, used / (max_bytes - segment_bytes)));
  }

  getStatistics(): LogStatistics {
    return {
      state: this.#closing !== undefined ? "closed" : this.#store.failed ? "failed" : "healthy",
      problem: this.#store.problem,
      pending: this.index.count,
      batches_appended: this.#batchesAppended,
      events_appended: this.#eventsAppended,
      bytes_appended: this.#bytesAppended,
      batches_refused: this.#batchesRefused,
      events_refused: this.#eventsRefused,
      batches_corrupt: this.#batchesCorrupt,
      ...this.#store.counters(),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#run(() => this.#appendQueued());
    this.#refuseAll("closed", "the log was closed");
    this.#cancelSync?.();
    this.#cancelPositions?.();
    this.closed = true;
    this.#waiters.wake();
    await this.#run(() => this.#store.close(this.#positions()));
    await this.#unlock();
  }
}

/** Undefined where the disk does not give the payload that was written. */
async function readPayload(entry: LogEntry<Segment>): Promise<Uint8Array | undefined> {
  const { segment, at, length, sequence } = entry;
  try {
    const start = at - RECORD_HEADER_BYTES;
    const bytes = await readFully(segment.file, RECORD_HEADER_BYTES + length, start);
    const record = decodeRecordHeader(bytes, 0);
    if (record === undefined || record.sequence !== sequence || record.length !== length)
      return undefined;
    const payload = bytes.subarray(RECORD_HEADER_BYTES);
    return payload.length === length && crc32c(payload) === record.crc ? payload : undefined;
  } catch {
    return undefined;
  }
}
