/**
 * Between the pipeline and the sinks: gathers events to batches, and hands each batch to every sink, or to the log
 * that keeps it for them.
 *
 * An event is accepted when it is copied here. One that is lost afterwards is told to the loss listener with its
 * program, CPU and reason, so that the books move it from delivered to dropped.
 */
import type { RecordBatch } from "../backend.ts";
import type { EventSchema } from "../events/event_schema.ts";
import type { Sink } from "../pipeline/sink.ts";
import type { Pressure } from "../shedding/load_shedder.ts";
import { BatchController } from "./batch_controller.ts";
import type { BatchEncoding, BatchSink } from "./batch_sink.ts";
import { BatchCounts, type BatchStatistics } from "./batch_statistics.ts";
import type { BatchingConfig } from "./batching_config.ts";
import { type ConvertBatch, DeliveryLogs } from "./delivery_logs.ts";
import type { EncoderOf, EncoderPool } from "./encoder_pool.ts";
import { type Encoded, EncodingLine } from "./encoding_line.ts";
import { type FlushReason, Lane } from "./lane.ts";
import type { BatchLog } from "./log/batch_log.ts";
import type { LogAppender } from "./log_appender.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { Outboxes } from "./outboxes.ts";
import { type SendBatch, toLog, toSinks } from "./send_batch.ts";
import { Sender, type SenderOptions } from "./sender.ts";
import { Settlements } from "./settlements.ts";
import type { LossListener, Ticket } from "./ticket.ts";

export interface BatchProcessorOptions {
  readonly config: BatchingConfig;
  readonly sinks: readonly BatchSink[];
  /** Clock of events: CLOCK_MONOTONIC, or the simulated one. */
  readonly now_ns: () => number;
  /** The process's own clock. */
  readonly now_ms: () => number;
  readonly random: () => number;
  readonly sleep: (time_ms: number, signal: AbortSignal) => Promise<void>;
  readonly encoder: EncoderOf;
  /** Threads that encode; `close` ends them. Without it everything is encoded on this one. */
  readonly pool?: EncoderPool;
  /** Begins every columnar file of the collector. */
  readonly schemaHeader: (schema: EventSchema) => Uint8Array;
  /** Batches as a sink wants them, out of columnar ones; only with logs. */
  readonly convert?: ConvertBatch;
  /** By collector; without one, batches go to the sinks directly. */
  readonly logs?: ReadonlyMap<string, BatchLog>;
}

interface LaneState {
  readonly lane: Lane;
  readonly line: EncodingLine;
  /** Undefined where batches go to the sinks directly. */
  readonly appender: LogAppender | undefined;
}

const NANOSECONDS_PER_MS = 1e6;
const LANE_BYTES_MAX = 1 << 20;

/** Shutdown and tests wait in steps of this. */
const POLL_MS = 5;

export class BatchProcessor implements Sink {
  readonly name = "batches";
  readonly #options: BatchProcessorOptions;
  readonly #controller: BatchController;
  readonly #counts = new BatchCounts();
  readonly #settlements: Settlements;
  readonly #memory: MemoryBudget;
  readonly #lanes = new Map<string, LaneState>();
  readonly #outboxes: Outboxes;
  readonly #senders: readonly Sender[];
  readonly #logs: DeliveryLogs;
  readonly #abort = new AbortController();
  #closed = false;
  #looked = { at_ms: 0, received: 0 };

  constructor(options: BatchProcessorOptions) {
    const { config, sinks, random, sleep, now_ns, now_ms } = options;
    this.#options = options;
    const controller = new BatchController(config);
    this.#controller = controller;
    this.#settlements = new Settlements({ counts: this.#counts, controller, now_ns, now_ms });
    this.#memory = new MemoryBudget(config.buffer_bytes);
    const backoff = { first_ms: config.retry_backoff_ms, max_ms: config.retry_backoff_max_ms };
    const maxRetries = options.logs === undefined ? config.max_retries : Number.POSITIVE_INFINITY;
    const senderOptions: SenderOptions = { backoff, maxRetries, random, sleep };
    this.#senders = sinks.map((sink) => new Sender(sink, senderOptions));
    const shared = {
      senders: this.#senders,
      memory: this.#memory,
      settlements: this.#settlements,
      signal: this.#abort.signal,
    };
    this.#outboxes = new Outboxes({ ...shared, now_ms, sent: () => this.#flushDue() });
    const { logs = new Map(), convert, pool } = options;
    this.#logs = new DeliveryLogs({ ...shared, logs, convert, pool });
  }

  /** Who is told of events that were accepted and then lost. */
  losses(listener: LossListener): void {
    this.#settlements.listener = listener;
  }

  /** Makes a collector known; with logs, before its first event. */
  prepare(schema: EventSchema): void {
    if (!this.#lanes.has(schema.collector.name)) this.#open(schema);
  }

  #open(schema: EventSchema): LaneState {
    const { config, sinks, pool, encoder, schemaHeader } = this.#options;
    const collector = schema.collector.name;
    const appender = this.#logs.open(schema);
    const wanted: readonly BatchEncoding[] =
      appender === undefined ? sinks.map(({ encoding }) => encoding) : ["columnar"];
    const encodings = [...new Set(wanted)];
    const bytes = Math.min(config.max_batch_bytes, LANE_BYTES_MAX);
    const lane = new Lane(schema, bytes, pool && ((size) => pool.allocate(size)));
    const outboxes = this.#outboxes;
    const direct = { collector, schemaHeader: schemaHeader(schema), encodings, sinks, outboxes };
    const send = appender === undefined ? toSinks(direct) : toLog(appender);
    const line = new EncodingLine({
      schema,
      encodings,
      encoder,
      pool,
      memory: this.#memory,
      leave: (ticket, encoded) => this.#leave(ticket, encoded, send),
      recycle: (records) => lane.recycle(records),
      freed: () => this.#flushDue(),
    });
    const state = { lane, line, appender };
    this.#lanes.set(collector, state);
    return state;
  }

  write(batch: RecordBatch, schema: EventSchema): void {
    const state = this.#lanes.get(schema.collector.name) ?? this.#open(schema);
    const { max_batch_size, max_batch_bytes } = this.#options.config;
    const now = this.#options.now_ns();
    const target = this.#target;
    const { lane } = state;
    for (let next = 0; next < batch.count; ) {
      const events = this.#takes(state) ? target : max_batch_size;
      const before = lane.count;
      next = lane.gather(batch, next, now, { events, bytes: max_batch_bytes });
      this.#counts.received += lane.count - before;
      if (lane.count >= events) this.#flush(state, "size");
      else if (lane.bytes >= max_batch_bytes) this.#flush(state, "bytes");
    }
  }

  get #target(): number {
    const { adaptive, max_batch_size } = this.#options.config;
    return adaptive ? this.#controller.size : max_batch_size;
  }

  /**
   * Whether encoding and a destination are free for the next batch. While they are not, events go on gathering: a batch
   * that stood in line would be no earlier, and a larger one costs less for each event.
   */
  #takes({ appender }: LaneState): boolean {
    if (this.#options.pool?.idle === false) return false;
    if (appender !== undefined) return true;
    let encoding = 0;
    for (const { line } of this.#lanes.values()) encoding += line.pending;
    return this.#outboxes.takes(encoding);
  }

  /** Sends what is large enough or has waited long enough, as far as a destination is free. */
  #flushDue(): void {
    if (this.#abort.signal.aborted) return;
    const { config, now_ns } = this.#options;
    const now = now_ns();
    const age_ns = config.max_batch_age_ms * NANOSECONDS_PER_MS;
    for (const state of this.#lanes.values()) {
      const { count, first_ns } = state.lane;
      if (count === 0 || !this.#takes(state)) continue;
      if (count >= this.#target) this.#flush(state, "size");
      else if (now - first_ns >= age_ns) this.#flush(state, "age");
    }
  }

  /** Sends what is due, and lets the controller look at the load. */
  tick(): void {
    this.#flushDue();
    const { now_ms } = this.#options;
    const at_ms = now_ms();
    if (at_ms - this.#looked.at_ms >= 100) {
      const { received } = this.#counts;
      this.#controller.arrived(received - this.#looked.received, at_ms - this.#looked.at_ms);
      this.#looked = { at_ms, received };
    }
  }

  #flush({ lane, line, appender }: LaneState, reason: FlushReason): void {
    const destinations = appender === undefined ? this.#senders.length : 1;
    const { records, ticket } = lane.take(destinations);
    this.#counts.flushes[reason] += 1;
    this.#counts.created += 1;
    ticket.started_ms = this.#options.now_ms();
    line.add(records, ticket);
  }

  #leave(ticket: Ticket, encoded: Encoded, send: SendBatch): void {
    if (typeof encoded === "string") {
      this.#settlements.lose(ticket, encoded);
      return;
    }
    for (const { bytes, rawBytes } of encoded) {
      this.#counts.raw += rawBytes;
      this.#counts.encoded += bytes.length;
    }
    send(ticket, encoded);
  }

  /** Batches that no sink, and no log, has taken yet. */
  get pending(): number {
    let { pending } = this.#outboxes;
    for (const { line, appender } of this.#lanes.values()) {
      pending += line.pending + (appender?.pending ?? 0);
    }
    return pending;
  }

  /** What tells that sinks, or the log, do not keep up, since the last call. */
  pressure(): Pressure {
    const { received, processed, dropped } = this.#counts;
    return {
      received,
      settled: processed + dropped,
      line_ms: this.#outboxes.takeLine_ms(),
      fill: Math.max(this.#memory.fill, this.#logs.fill),
    };
  }

  /** Resolves once there is room again: sources that can wait should. */
  async ready(): Promise<void> {
    while (this.#memory.fill > 0.5 && !this.#abort.signal.aborted) {
      await this.#options.sleep(POLL_MS, this.#abort.signal);
    }
  }

  /** Sends everything, and waits for the sinks (with a log: for the log) within the shutdown timeout. */
  async flush(): Promise<void> {
    for (const state of this.#lanes.values()) {
      if (state.lane.count > 0) this.#flush(state, "drain");
    }
    const { config, now_ms, sleep } = this.#options;
    const deadline_ms = now_ms() + config.shutdown_timeout_ms;
    const caughtUp = (): boolean => this.pending === 0 && this.#logs.caughtUp;
    while (!caughtUp() && now_ms() < deadline_ms) await sleep(POLL_MS, this.#abort.signal);
    if (this.pending > 0) {
      // What is under way is given up, and counted; with a log the next process sends it.
      this.#giveUp();
      while (this.pending > 0) await sleep(POLL_MS, new AbortController().signal);
    }
    await this.#logs.sync();
  }

  #giveUp(): void {
    this.#abort.abort();
    for (const { line } of this.#lanes.values()) line.abandon();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#giveUp();
    await this.#options.pool?.close();
    await this.#logs.close();
    for (const { sink } of this.#senders) await sink.close();
  }

  senders(): readonly Sender[] {
    return this.#senders;
  }

  /** Destinations that take nothing at present, each with the reason. */
  problems(): string[] {
    const sinks = this.#senders
      .filter(({ statistics }) => statistics.failuresInARow > 0)
      .map(({ statistics }) => statistics.problem);
    return [...this.#logs.problems(), ...sinks];
  }

  get controller(): BatchController {
    return this.#controller;
  }

  getStats(): BatchStatistics {
    return this.#counts.statistics({
      eventsRefusedLater: this.#logs.rejectedEvents,
      batchSizeTarget: this.#controller.size,
      bufferedBytes: this.#memory.used_bytes,
      pending: this.pending,
    });
  }
}
