/** The logs of a run, one a collector, and what sends their batches on to the sinks. */
import type { EventSchema } from "../events/event_schema.ts";
import type { BatchEncoding } from "./batch_sink.ts";
import type { EncoderPool } from "./encoder_pool.ts";
import type { BatchLog } from "./log/batch_log.ts";
import { LogAppender } from "./log_appender.ts";
import { LogDelivery, type LogDeliveryOptions } from "./log_delivery.ts";
import type { MemoryBudget } from "./memory_budget.ts";
import type { Sender } from "./sender.ts";
import type { Settlements } from "./settlements.ts";

/** A columnar batch in another encoding; throws where it cannot be read. */
export type ConvertBatch = (
  schema: EventSchema,
  columnar: Uint8Array,
  encoding: BatchEncoding,
) => Uint8Array;

export interface DeliveryLogsOptions {
  /** By collector. */
  readonly logs: ReadonlyMap<string, BatchLog>;
  readonly senders: readonly Sender[];
  /** Without it nothing is sent on. */
  readonly convert: ConvertBatch | undefined;
  readonly pool: EncoderPool | undefined;
  readonly memory: MemoryBudget;
  readonly settlements: Settlements;
  readonly signal: AbortSignal;
}

export class DeliveryLogs {
  readonly #options: DeliveryLogsOptions;
  readonly #deliveries: LogDelivery[] = [];

  constructor(options: DeliveryLogsOptions) {
    this.#options = options;
  }

  /** Begins to send what the collector's log keeps; undefined where it has none. Once for each collector. */
  open(schema: EventSchema): LogAppender | undefined {
    const { logs, senders, convert, memory, settlements, signal } = this.#options;
    const collector = schema.collector.name;
    const log = logs.get(collector);
    if (log === undefined) return undefined;
    for (const sender of convert === undefined ? [] : senders) {
      const delivery = new LogDelivery({
        log,
        sender,
        collector,
        convert: this.#converter(convert!, schema, sender.sink.encoding),
        signal,
      });
      this.#deliveries.push(delivery);
      void delivery.run();
    }
    return new LogAppender(log, memory, settlements, signal);
  }

  /** On another thread where one is free and there is something to do. */
  #converter(
    convert: ConvertBatch,
    schema: EventSchema,
    encoding: BatchEncoding,
  ): LogDeliveryOptions["convert"] {
    const { pool } = this.#options;
    return (columnar) => {
      const here = (): Uint8Array => convert(schema, columnar, encoding);
      if (encoding === "columnar" || pool === undefined) return here();
      return pool.convert(schema, columnar, encoding)?.catch(here) ?? here();
    };
  }

  /** Whether every sink has acknowledged everything that the logs keep. */
  get caughtUp(): boolean {
    return this.#deliveries.every(({ pending }) => pending === 0);
  }

  /** Events that a log took and a sink refused for good; each sink counts for itself. */
  get rejectedEvents(): number {
    return this.#deliveries.reduce((sum, each) => sum + each.rejectedEvents, 0);
  }

  /** Of the fullest log, from 0 to 1. */
  get fill(): number {
    return Math.max(0, ...[...this.#options.logs.values()].map((log) => log.fill()));
  }

  /** Logs that take nothing at present, each with the reason. */
  problems(): string[] {
    return [...this.#options.logs].flatMap(([collector, log]) => {
      const { state, problem } = log.getStatistics();
      return state === "failed" ? [`the log of ${collector}: ${problem}`] : [];
    });
  }

  async sync(): Promise<void> {
    for (const log of this.#options.logs.values()) await log.sync();
  }

  /** The signal has been aborted. */
  async close(): Promise<void> {
    for (const delivery of this.#deliveries) await delivery.ended;
    for (const log of this.#options.logs.values()) await log.close();
  }
}
