/** What a log keeps, converted by threads that finish in any order: a sink gets it in the log's order, each batch once. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { BatchSink, EncodedBatch, SendResult } from "#core/batching/batch_sink.ts";
import type { BatchLog, LogRecord } from "#core/batching/log/batch_log.ts";
import { LogDelivery } from "#core/batching/log_delivery.ts";
import { Sender } from "#core/batching/sender.ts";
import { checkAsyncProperty } from "../property.ts";

/** Turns of the event loop that a conversion takes, and whether it fails in the end. */
interface Conversion {
  readonly turns: number;
  readonly fails: boolean;
}

const conversions: fc.Arbitrary<Conversion[]> = fc.array(
  fc.record({
    turns: fc.nat(6),
    fails: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
  }),
  { maxLength: 20 },
);

async function takeTurns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A log of `count` batches, numbered from 1 in sequence and payload, that ends after the last. */
function logOf(count: number, acknowledged: number[]): BatchLog {
  let next = 1;
  const cursor = {
    pending: 0,
    async next(): Promise<LogRecord | undefined> {
      const sequence = next++;
      if (sequence > count) return undefined;
      const payload = Uint8Array.of(sequence);
      return { segment: 1, sequence, count: 1, payload, header: new Uint8Array() };
    },
    acknowledge: (sequence: number) => void acknowledged.push(sequence),
  };
  return { cursor: () => cursor } as unknown as BatchLog;
}

class Listing implements BatchSink {
  readonly name = "listing";
  readonly encoding = "ndjson";
  readonly received: number[] = [];
  readonly maxInFlight: number;
  inFlight = 0;

  constructor(maxInFlight: number) {
    this.maxInFlight = maxInFlight;
  }

  async send({ bytes }: EncodedBatch): Promise<SendResult> {
    this.received.push(bytes[0]!);
    this.inFlight += 1;
    expect(this.inFlight).toBeLessThanOrEqual(this.maxInFlight);
    await takeTurns(bytes[0]! % 3);
    this.inFlight -= 1;
    return { outcome: "accepted" };
  }

  async close(): Promise<void> {}
}

it("keeps the order, and leaves out what cannot be converted", async () => {
  const property = fc.asyncProperty(
    conversions,
    fc.integer({ min: 1, max: 5 }),
    async (all, maxInFlight) => {
      const acknowledged: number[] = [];
      const sink = new Listing(maxInFlight);
      const sender = new Sender(sink, {
        backoff: { first_ms: 1, max_ms: 1 },
        maxRetries: 0,
        random: () => 0.5,
        sleep: async () => {},
      });
      const delivery = new LogDelivery({
        log: logOf(all.length, acknowledged),
        sender,
        collector: "test",
        convert: async (columnar) => {
          const { turns, fails } = all[columnar[0]! - 1]!;
          await takeTurns(turns);
          if (fails) throw new Error("damaged");
          return columnar;
        },
        signal: new AbortController().signal,
      });
      await delivery.run();
      const sequences = all.map((_, i) => i + 1);
      expect(sink.received).toEqual(sequences.filter((sequence) => !all[sequence - 1]!.fails));
      expect(acknowledged.sort((a, b) => a - b)).toEqual(sequences);
      expect(delivery.rejectedEvents).toBe(all.filter(({ fails }) => fails).length);
    },
  );
  await checkAsyncProperty("log delivery", property);
});
