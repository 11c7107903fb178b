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
import type { BatchEncoding, BatchSink, EncodedBatch } from "./batch_sink.ts";
import { BatchCounts, type BatchStatistics } from "./batch_statistics.ts";
import type { BatchingConfig } from "./batching_config.ts";
import type { RecordEncoder } from "./encoding/record_encoder.ts";
import { type FlushReason, Lane } from "./lane.ts";
import type { BatchLog } from "./log/batch_log.ts";
import { LogDelivery } from "./log_delivery.ts";
import { Outbox } from "./outbox.ts";
import { Sender, type SenderOptions, type SendOutcome } from "./sender.ts";
import type { LossListener, LossReason, Ticket } from "./ticket.ts";

export interface BatchProcessorOptions {
  readonly config: BatchingConfig;
  readonly sinks: readonly BatchSink[];
  /** Clock of events: CLOCK_MONOTONIC, or the simulated one. */
  readonly now_ns: () => number;
  /** The process's own clock. */
  readonly now_ms: () => number;
  readonly random: () => number;
  readonly sleep: (time_ms: number, signal: AbortSignal) => Promise<void>;
  /** An encoder of its own for each collector and encoding. */
  readonly encoder: (schema: EventSchema, encoding: BatchEncoding) => RecordEncoder;
  /** Begins every columnar file of the collector. */
  readonly schemaHeader: (schema: EventSchema) => Uint8Array;
  /** Batches as a sink wants them, out of columnar ones; only with logs. */
  readonly convert?: (
    schema: EventSchema,
    columnar: Uint8Array,
    encoding: BatchEncoding,
  ) => Uint8Array;
  /** By collector; without one, batches go to the sinks directly. */
  readonly logs?: ReadonlyMap<string, BatchLog>;
}

interface LaneState {
  readonly lane: Lane;
  readonly encoders: ReadonlyMap<BatchEncoding, RecordEncoder>;
  readonly schemaHeader: Uint8Array;
  readonly log: BatchLog | undefined;
  sequence: number;
}

const NANOSECONDS_PER_MS = 1e6;

const LOSS_OF: Readonly<Record<SendOutcome, LossReason | undefined>> = {
  accepted: undefined,
  rejected: "sink_rejected",
  failed: "sink_failed",
  aborted: "shutdown",
};

/** Shutdown and tests wait in steps of this. */
const POLL_MS = 5;

export class BatchProcessor implements Sink {
  readonly name = "batches";
  readonly #options: BatchProcessorOptions;
  readonly #controller: BatchController;
  readonly #lanes = new Map<string, LaneState>();
  readonly #outboxes: readonly Outbox[];
  readonly #senders: readonly Sender[];
  readonly #logDeliveries: LogDelivery[] = [];
  readonly #abort = new AbortController();
  #listener: LossListener = () => {};
  #appending = 0;
  #bufferedBytes = 0;
  #closed = false;
  readonly #counts = new BatchCounts();
  #looked = { at_ms: 0, received: 0 };

  constructor(options: BatchProcessorOptions) {
    const { config, sinks, random, sleep } = options;
    this.#options = options;
    this.#controller = new BatchController(config);
    const backoff = { first_ms: config.retry_backoff_ms, max_ms: config.retry_backoff_max_ms };
    const maxRetries = options.logs === undefined ? config.max_retries : Number.POSITIVE_INFINITY;
    const senderOptions: SenderOptions = { backoff, maxRetries, random, sleep };
    this.#senders = sinks.map((sink) => new Sender(sink, senderOptions));
    this.#outboxes = this.#senders.map(
      (sender) =>
        new Outbox(sender, this.#abort.signal, options.now_ms, (...all) => this.#sent(...all)),
    );
  }

  /** Who is told of events that were accepted and then lost. */
  losses(listener: LossListener): void {
    this.#listener = listener;
  }

  /** Makes a collector known; with logs, before its first event. */
  prepare(schema: EventSchema): void {
    if (!this.#lanes.has(schema.collector.name)) this.#open(schema);
  }

  #open(schema: EventSchema): LaneState {
    const { config, encoder, logs, sinks, schemaHeader, convert } = this.#options;
    const name = schema.collector.name;
    const log = logs?.get(name);
    const encodings: BatchEncoding[] =
      log === undefined ? sinks.map(({ encoding }) => encoding) : ["columnar"];
    const state: LaneState = {
      lane: new Lane(schema, Math.min(config.max_batch_bytes, 1 << 20)),
      encoders: new Map([...new Set(encodings)].map((each) => [each, encoder(schema, each)])),
      schemaHeader: schemaHeader(schema),
      log,
      sequence: 0,
    };
    this.#lanes.set(name, state);
    if (log !== undefined && convert !== undefined) {
      for (const sender of this.#senders) {
        const delivery = new LogDelivery({
          log,
          sender,
          collector: name,
          convert: (columnar) => convert(schema, columnar, sender.sink.encoding),
          signal: this.#abort.signal,
        });
        this.#logDeliveries.push(delivery);
        void delivery.run();
      }
    }
    return state;
  }

  write(batch: RecordBatch, schema: EventSchema): void {
    const state = this.#lanes.get(schema.collector.name) ?? this.#open(schema);
    const { config, now_ns } = this.#options;
    const now = now_ns();
    const target = this.#target;
    const { lane } = state;
    for (let i = 0; i < batch.count; i++) {
      if (batch.lengths[i]! < schema.headerSize) continue;
      lane.add(batch, i, now);
      this.#counts.received += 1;
      const full = lane.count >= config.max_batch_size;
      if (full || (lane.count >= target && this.#takes(state))) this.#flush(state, "size");
      else if (lane.bytes >= config.max_batch_bytes) this.#flush(state, "bytes");
    }
  }

  get #target(): number {
    const { adaptive, max_batch_size } = this.#options.config;
    return adaptive ? this.#controller.size : max_batch_size;
  }

  /**
   * Whether a destination is free for the next batch. While none is, events go on gathering: a batch that stood in
   * line would be no earlier, and a larger one costs less for each event.
   */
  #takes({ log }: LaneState): boolean {
    return log !== undefined || this.#outboxes.some(({ idle }) => idle);
  }

  /** Sends what is large enough or has waited long enough, as far as a destination is free. */
  #flushDue(): void {
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

  #flush(state: LaneState, reason: FlushReason): void {
    const { lane, log } = state;
    const destinations = log === undefined ? this.#outboxes.length : 1;
    const { records, ticket } = lane.take(destinations);
    this.#counts.flushes[reason] += 1;
    this.#counts.created += 1;
    ticket.started_ms = this.#options.now_ms();
    state.sequence += 1;
    if (log === undefined) this.#offer(state, records, ticket);
    else void this.#append(log, state, records, ticket);
  }

  #encode(state: LaneState, encoding: BatchEncoding, records: RecordBatch): EncodedBatch {
    const { bytes, count, rawBytes } = state.encoders.get(encoding)!.encode(records);
    this.#counts.raw += rawBytes;
    this.#counts.encoded += bytes.length;
    const { schemaHeader, sequence, lane } = state;
    const collector = lane.schema.collector.name;
    return { bytes, count, collector, segment: 0, sequence, schemaHeader };
  }

  #offer(state: LaneState, records: RecordBatch, ticket: Ticket): void {
    const encoded = new Map<BatchEncoding, EncodedBatch>();
    for (const outbox of this.#outboxes) {
      const { encoding } = outbox.sender.sink;
      const batch = encoded.get(encoding) ?? this.#encode(state, encoding, records);
      encoded.set(encoding, batch);
      if (this.#bufferedBytes + batch.bytes.length > this.#options.config.buffer_bytes) {
        this.#settle(ticket, "queue_full");
        continue;
      }
      this.#bufferedBytes += batch.bytes.length;
      outbox.offer(batch, ticket);
    }
  }

  async #append(
    log: BatchLog,
    state: LaneState,
    records: RecordBatch,
    ticket: Ticket,
  ): Promise<void> {
    const { bytes, count } = this.#encode(state, "columnar", records);
    if (this.#bufferedBytes + bytes.length > this.#options.config.buffer_bytes) {
      this.#settle(ticket, "queue_full");
      return;
    }
    this.#bufferedBytes += bytes.length;
    this.#appending += 1;
    try {
      const result = await log.append(bytes, count, this.#abort.signal);
      const reason: LossReason | undefined =
        result.status === "accepted"
          ? undefined
          : result.reason === "log_full"
            ? "log_full"
            : "log_failed";
      this.#settle(ticket, reason);
    } catch {
      this.#settle(ticket, "log_failed");
    } finally {
      this.#appending -= 1;
      this.#bufferedBytes -= bytes.length;
    }
  }

  #sent(ticket: Ticket, outcome: SendOutcome, bytes: number): void {
    this.#bufferedBytes -= bytes;
    this.#settle(ticket, LOSS_OF[outcome]);
    this.#flushDue();
  }

  #settle(ticket: Ticket, reason: LossReason | undefined): void {
    if (reason !== undefined && !ticket.lost) {
      ticket.lose(reason, this.#listener);
      this.#counts.dropped += ticket.count;
      this.#counts.failed += 1;
    }
    if (!ticket.settle() || ticket.lost) return;
    const { now_ns, now_ms } = this.#options;
    const sojourn_ms = Math.max(0, now_ns() - ticket.oldest_ns) / NANOSECONDS_PER_MS;
    this.#counts.sojourn_ms.add(sojourn_ms, ticket.count);
    this.#counts.processed += ticket.count;
    this.#counts.sent += 1;
    this.#controller.sent(ticket.count, now_ms() - ticket.started_ms, sojourn_ms);
  }

  /** Batches that no sink, and no log, has taken yet. */
  get pending(): number {
    const waiting = this.#outboxes.reduce((sum, { pending }) => sum + pending, 0);
    return waiting + this.#appending;
  }

  /** What tells that sinks, or the log, do not keep up, since the last call. */
  pressure(): Pressure {
    const { config, logs } = this.#options;
    const { received, processed, dropped } = this.#counts;
    const fills = [...(logs?.values() ?? [])].map((log) => log.fill());
    return {
      received,
      settled: processed + dropped,
      line_ms: this.#line_ms(),
      fill: Math.max(this.#bufferedBytes / config.buffer_bytes, ...fills),
    };
  }

  /**
   * At the sink that is least behind: one that is down slows the others only when its batches fill the memory. A log
   * has no line: it takes what waits together.
   */
  #line_ms(): number | undefined {
    const lines = this.#outboxes.map((outbox) => outbox.takeLine_ms());
    const known = lines.filter((line_ms) => line_ms !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** Resolves once there is room again: sources that can wait should. */
  async ready(): Promise<void> {
    const half = this.#options.config.buffer_bytes / 2;
    while (this.#bufferedBytes > half && !this.#abort.signal.aborted) {
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
    const caughtUp = (): boolean =>
      this.pending === 0 && this.#logDeliveries.every(({ pending }) => pending === 0);
    while (!caughtUp() && now_ms() < deadline_ms) await sleep(POLL_MS, this.#abort.signal);
    if (this.pending > 0) {
      // What is under way is given up, and counted; with a log the next process sends it.
      this.#abort.abort();
      while (this.pending > 0) await sleep(POLL_MS, new AbortController().signal);
    }
    for (const log of this.#options.logs?.values() ?? []) await log.sync();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#abort.abort();
    for (const delivery of this.#logDeliveries) await delivery.ended;
    for (const log of this.#options.logs?.values() ?? []) await log.close();
    for (const { sink } of this.#senders) await sink.close();
  }

  senders(): readonly Sender[] {
    return this.#senders;
  }

  /** Destinations that take nothing at present, each with the reason. */
  problems(): string[] {
    const logs = [...(this.#options.logs ?? [])]
      .map(([collector, log]) => [collector, log.getStatistics()] as const)
      .filter(([, { state }]) => state === "failed")
      .map(([collector, { problem }]) => `the log of ${collector}: ${problem}`);
    const sinks = this.#senders
      .filter(({ statistics }) => statistics.failuresInARow > 0)
      .map(({ statistics }) => statistics.problem);
    return [...logs, ...sinks];
  }

  get controller(): BatchController {
    return this.#controller;
  }

  getStats(): BatchStatistics {
    return this.#counts.statistics({
      eventsRefusedLater: this.#logDeliveries.reduce((sum, each) => sum + each.rejectedEvents, 0),
      batchSizeTarget: this.#controller.size,
      bufferedBytes: this.#bufferedBytes,
      pending: this.pending,
    });
  }
}
