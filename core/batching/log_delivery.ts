/** Sends what a log keeps to one sink, from where that sink left off, for as long as the log lives. */
import type { BatchLog, LogCursor, LogRecord } from "./log/batch_log.ts";
import type { Sender } from "./sender.ts";

export interface LogDeliveryOptions {
  readonly log: BatchLog;
  readonly sender: Sender;
  readonly collector: string;
  /** A columnar batch in the sink's encoding; throws or rejects where it cannot be read. */
  readonly convert: (columnar: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  readonly signal: AbortSignal;
}

export class LogDelivery {
  readonly #options: LogDeliveryOptions;
  readonly #cursor: LogCursor;
  #ended: Promise<void> = Promise.resolve();
  /** When the last batch is converted, and all before it. */
  #converted: Promise<unknown> = Promise.resolve();
  /** Events of batches that the sink refused for good, or that could not be converted. */
  rejectedEvents = 0;

  constructor(options: LogDeliveryOptions) {
    this.#options = options;
    this.#cursor = options.log.cursor(options.sender.sink.name);
  }

  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Batches in the log that the sink has not acknowledged. */
  get pending(): number {
    return this.#cursor.pending;
  }

  run(): Promise<void> {
    this.#ended = this.#follow();
    return this.#ended;
  }

  async #follow(): Promise<void> {
    const { signal, sender } = this.#options;
    const inFlight = new Set<Promise<void>>();
    while (!signal.aborted) {
      const record = await this.#cursor.next(signal);
      if (record === undefined) break;
      const sending = this.#send(record).finally(() => inFlight.delete(sending));
      inFlight.add(sending);
      if (inFlight.size >= sender.sink.maxInFlight) await Promise.race(inFlight);
    }
    await Promise.all(inFlight);
  }

  async #send({ payload, count, segment, sequence, header }: LogRecord): Promise<void> {
    const { collector, sender, signal } = this.#options;
    // Threads may convert in any order; the sink gets batches in that of the log.
    const inOrder = Promise.all([this.#convert(payload), this.#converted]);
    this.#converted = inOrder.then(() => {});
    const [bytes] = await inOrder;
    if (bytes === undefined) {
      // Sending it again would end the same way.
      this.rejectedEvents += count;
      this.#cursor.acknowledge(sequence);
      return;
    }
    const batch = { bytes, count, collector, segment, sequence, schemaHeader: header };
    const outcome = await sender.send(batch, signal);
    if (outcome === "rejected") this.rejectedEvents += count;
    if (outcome === "accepted" || outcome === "rejected") this.#cursor.acknowledge(sequence);
  }

  /** Undefined where the batch cannot be read. */
  async #convert(columnar: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      return await this.#options.convert(columnar);
    } catch {
      return undefined;
    }
  }
}
