/**
 * The batch processor under random schedules of events, clock, threads that encode out of order, fail and hang, sinks or a
 * log that accept, refuse, fail and hang, and an end at any point: every accepted event is delivered once, or told
 * lost once with its reason.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { RecordBatch } from "#core/backend.ts";
import { BatchProcessor } from "#core/batching/batch_processor.ts";
import type { BatchSink, EncodedBatch, SendResult } from "#core/batching/batch_sink.ts";
import { DEFAULT_BATCHING } from "#core/batching/batching_config.ts";
import type { AppendResult, BatchLog } from "#core/batching/log/batch_log.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import { checkAsyncProperty } from "../property.ts";
import { ScheduledPool, type ThreadOutcome } from "./scheduled_pool.ts";

const RECORD_BYTES = 32;
const CPUS = 3;

/** A collector whose records are a number, a program and a CPU. */
const SCHEMA = {
  collector: { name: "test" },
  headerSize: 16,
  header: {
    timestamp_ns: (view: DataView, at: number) => view.getFloat64(at + 8, true),
    program: () => 0,
    cpu: (view: DataView, at: number) => view.getUint32(at + 4, true),
  },
} as unknown as EventSchema;

function recordBatch(first: number, count: number, now_ns: number): RecordBatch {
  const buffer = new Uint8Array(RECORD_BYTES * count);
  const view = new DataView(buffer.buffer);
  const offsets = Uint32Array.from({ length: count }, (_, i) => i * RECORD_BYTES);
  for (let i = 0; i < count; i++) {
    view.setUint32(i * RECORD_BYTES, first + i, true);
    view.setUint32(i * RECORD_BYTES + 4, (first + i) % CPUS, true);
    view.setFloat64(i * RECORD_BYTES + 8, now_ns, true);
  }
  return { buffer, view, offsets, lengths: new Uint32Array(count).fill(RECORD_BYTES), count };
}

/** Numbers of the records, four bytes each; batches with one that `breaksAt` divides are not encoded. */
const encoderThat = (breaksAt: number) => ({
  encoding: "columnar" as const,
  encode: ({ view, offsets, count }: RecordBatch) => {
    const numbers = Uint32Array.from({ length: count }, (_, i) =>
      view.getUint32(offsets[i]!, true),
    );
    if (numbers.some((number) => (number + 1) % breaksAt === 0)) throw new Error("broken");
    return {
      bytes: new Uint8Array(numbers.buffer),
      count,
      rawBytes: count * RECORD_BYTES,
      malformed: 0,
    };
  },
});

type Answer = "accept" | "reject" | "retry" | "hang";

class TestSink implements BatchSink {
  readonly name: string;
  readonly encoding = "columnar";
  readonly maxInFlight: number;
  readonly received: number[] = [];
  readonly #answers: readonly Answer[];
  #calls = 0;

  constructor(name: string, maxInFlight: number, answers: readonly Answer[]) {
    this.name = name;
    this.maxInFlight = maxInFlight;
    this.#answers = answers;
  }

  async send({ bytes }: EncodedBatch, signal: AbortSignal): Promise<SendResult> {
    const answer = this.#answers[this.#calls++ % this.#answers.length]!;
    await Promise.resolve();
    if (answer === "hang") {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      return { outcome: "retry_after", reason: "aborted" };
    }
    if (answer === "reject") return { outcome: "rejected", reason: "no" };
    if (answer === "retry") return { outcome: "retry_after", reason: "later" };
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    this.received.push(...words);
    return { outcome: "accepted" };
  }

  async close(): Promise<void> {}
}

/** A log that takes batches at once, or refuses them. */
class TestLog {
  readonly received: number[] = [];
  readonly #answers: readonly Answer[];
  #calls = 0;

  constructor(answers: readonly Answer[]) {
    this.#answers = answers;
  }

  async append(bytes: Uint8Array): Promise<AppendResult> {
    const answer = this.#answers[this.#calls++ % this.#answers.length]!;
    if (answer === "retry") throw new Error("broken");
    if (answer !== "accept") return { status: "refused", reason: "log_full", problem: "full" };
    this.received.push(...new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
    return { status: "accepted", segment: 1, sequence: this.#calls };
  }

  fill = (): number => 0;
  async sync(): Promise<void> {}
  async close(): Promise<void> {}
}

type Step =
  | { readonly kind: "events"; readonly count: number }
  | { readonly kind: "time"; readonly elapsed_ms: number }
  | { readonly kind: "turn" }
  | { readonly kind: "thread"; readonly which: number; readonly outcome: ThreadOutcome };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("events" as const),
      count: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("time" as const),
      elapsed_ms: fc.integer({ min: 1, max: 200 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: "turn" }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("thread" as const),
      which: fc.nat(7),
      outcome: fc.constantFrom<ThreadOutcome>("encoded", "encoded", "encoded", "failed"),
    }),
  },
);

const answers = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Answer>("accept") },
    { weight: 1, arbitrary: fc.constantFrom<Answer>("reject", "retry", "hang") },
  ),
  { minLength: 1, maxLength: 6 },
);

const settings = fc.record({
  max_batch_size: fc.integer({ min: 1, max: 50 }),
  max_batch_bytes: fc.constantFrom(64, 256, 4096),
  buffer_bytes: fc.constantFrom(40, 400, 100_000),
  max_retries: fc.integer({ min: 0, max: 2 }),
  adaptive: fc.boolean(),
  log: fc.option(answers, { freq: 3 }),
  /** Batches that threads take at once; none without threads. */
  threads: fc.option(fc.integer({ min: 1, max: 6 }), { freq: 3 }),
  /** Whether threads go on when the run ends. */
  hang: fc.boolean(),
  breaksAt: fc.constantFrom(1000, 20),
  sinks: fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), answers), {
    minLength: 1,
    maxLength: 2,
  }),
});

it("delivers once or tells lost once, keeps order and bounds, and is never late", async () => {
  const property = fc.asyncProperty(
    settings,
    fc.array(step, { maxLength: 40 }),
    async (given, steps) => {
      const { sinks: described, log: logAnswers, threads, hang, breaksAt, ...changes } = given;
      let now_ms = 0;
      const sinks = described.map(([inFlight, list], i) => new TestSink(`s${i}`, inFlight, list));
      const log = logAnswers === null ? undefined : new TestLog(logAnswers);
      const encoder = encoderThat(breaksAt);
      const pool = threads === null ? undefined : new ScheduledPool(encoder, threads);
      let ending = false;
      const lost = new Map<string, number>();
      const config = {
        ...DEFAULT_BATCHING,
        min_batch_size: 1,
        retry_backoff_ms: 1,
        shutdown_timeout_ms: 50,
        ...changes,
      };
      const processor = new BatchProcessor({
        config,
        sinks,
        now_ns: () => now_ms * 1e6,
        now_ms: () => now_ms,
        random: () => 0.5,
        // Whoever sleeps lets the clock go on.
        sleep: async (time_ms) => {
          now_ms += time_ms;
          if (ending && !hang) pool?.step(now_ms, "encoded");
          await new Promise((resolve) => setImmediate(resolve));
        },
        encoder: () => encoder,
        schemaHeader: () => new Uint8Array(),
        ...(pool === undefined ? {} : { pool }),
        ...(log === undefined ? {} : { logs: new Map([["test", log as unknown as BatchLog]]) }),
      });
      processor.losses((_, reason, program, cpu, count) => {
        expect(program).toBe(0);
        expect(cpu).toBeLessThan(CPUS);
        lost.set(reason, (lost.get(reason) ?? 0) + count);
      });
      let next = 0;
      let waitingSince_ms: number | undefined;
      for (const each of steps) {
        if (each.kind === "events") {
          processor.write(recordBatch(next, each.count, now_ms * 1e6), SCHEMA);
          next += each.count;
        } else if (each.kind === "time") {
          now_ms += each.elapsed_ms;
          processor.tick();
          // After a tick nothing gathers for longer than its age.
          const { eventsReceived, eventsProcessed, eventsDropped, pending } = processor.getStats();
          const gathering = eventsReceived - eventsProcessed - eventsDropped > 0 && pending === 0;
          waitingSince_ms = gathering ? (waitingSince_ms ?? now_ms) : undefined;
          if (waitingSince_ms !== undefined) {
            expect(now_ms - waitingSince_ms).toBeLessThanOrEqual(config.max_batch_age_ms);
          }
        } else {
          if (each.kind === "thread") pool?.step(each.which, each.outcome);
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(processor.getStats().bufferedBytes).toBeLessThanOrEqual(config.buffer_bytes);
      }
      ending = true;
      await processor.flush();
      expect(processor.getStats()).toMatchObject({ pending: 0, bufferedBytes: 0 });
      await processor.close();
      const { eventsReceived, eventsProcessed, eventsDropped } = processor.getStats();
      const told = [...lost.values()].reduce((sum, count) => sum + count, 0);
      expect(eventsReceived).toBe(next);
      expect(eventsDropped).toBe(told);
      expect(eventsProcessed + told).toBe(next);
      // What a thread fails at is encoded here: only what nobody can encode is lost for it.
      if (breaksAt > next) expect(lost.has("encoding_failed")).toBe(false);
      if (log !== undefined) {
        expect(log.received.length).toBe(eventsProcessed);
        expect(log.received).toEqual([...new Set(log.received)].sort((a, b) => a - b));
        return;
      }
      for (const { received, maxInFlight } of sinks) {
        expect(new Set(received).size).toBe(received.length);
        expect(received.length).toBeGreaterThanOrEqual(eventsProcessed);
        // One at a time keeps the order, batches that were given up left out.
        if (maxInFlight === 1) expect(received).toEqual([...received].sort((a, b) => a - b));
      }
    },
  );
  await checkAsyncProperty("batch processor", property);
});
