/** Threads that encode the events of a recording: the bytes that this thread makes of them, and nothing lost with a thread. */
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { zstdCodec } from "#cli/batching/zstd_codec.ts";
import { EncoderThreads } from "#cli/delivery/encoder_threads.ts";
import { Encoders } from "#cli/delivery/encoders.ts";
import type { RecordBatch } from "#core/backend.ts";
import { BatchProcessor } from "#core/batching/batch_processor.ts";
import type { BatchEncoding, BatchSink } from "#core/batching/batch_sink.ts";
import { DEFAULT_BATCHING } from "#core/batching/batching_config.ts";
import { ColumnarDecoder } from "#core/batching/encoding/columnar_decoder.ts";
import { RecordBuffer } from "#core/batching/record_buffer.ts";
import {
  type RecordedEvents,
  recordedEvents,
  SAMPLE_TRACE,
  sliceBatch,
} from "../../../bench/recorded_batches.ts";
import { recordsOf } from "../../../property-tests/arbitraries/ring_records.ts";

const BATCH_RECORDS = 500;
const ENCODINGS: readonly BatchEncoding[] = ["columnar", "ndjson", "otlp_logs"];
const unixOffset_ns = (): bigint => 1_700_000_000_123_456_789n;

let recorded: RecordedEvents;
beforeAll(async () => {
  const all = await recordedEvents(SAMPLE_TRACE);
  recorded = all.find(({ schema }) => schema.collector === "syscall")!;
}, 60_000);

const opened: EncoderThreads[] = [];
const problems: string[] = [];
afterEach(async () => {
  for (const pool of opened.splice(0)) await pool.close();
  problems.length = 0;
  vi.restoreAllMocks();
});

function openThreads(threads: number, schemas = new Map([["syscall", recorded.schema]])) {
  const problem = (text: string): number => problems.push(text);
  const pool = new EncoderThreads({
    threads,
    schemas,
    unixOffset_ns,
    problem,
    eventsBeforeStart: 1,
  });
  opened.push(pool);
  return pool;
}

function openEncoders(): Encoders {
  return new Encoders(new Map([["syscall", recorded.schema]]), unixOffset_ns);
}

/** In memory that the pool's threads can read. */
function shared(pool: EncoderThreads, batch: RecordBatch): RecordBatch {
  const buffer = new RecordBuffer(4096, (bytes) => pool.allocate(bytes));
  buffer.add(batch, 0, batch.count);
  return buffer.batch();
}

/** The first batch is declined while threads start. */
async function encodeIn(pool: EncoderThreads, batch: RecordBatch) {
  for (;;) {
    const encoded = pool.encode(recorded.events, ENCODINGS, batch);
    if (encoded !== undefined) return await encoded;
    await sleep(5);
  }
}

describe("threads", () => {
  it("make the bytes of every encoding that this thread makes", async () => {
    const pool = openThreads(1);
    const encoders = openEncoders();
    for (let first = 0; first < 10 * BATCH_RECORDS; first += BATCH_RECORDS) {
      const batch = sliceBatch(recorded.all, first, BATCH_RECORDS);
      const encoded = await encodeIn(pool, shared(pool, batch));
      expect(encoded).toEqual(ENCODINGS.map((each) => encoders.of("syscall", each).encode(batch)));
      expect(encoded[0]!.count).toBe(BATCH_RECORDS);
    }
    expect(problems).toEqual([]);
  });

  it("convert what a log keeps as this thread does", async () => {
    const pool = openThreads(1);
    const encoders = openEncoders();
    const batch = sliceBatch(recorded.all, 0, BATCH_RECORDS);
    await encodeIn(pool, shared(pool, batch));
    const columnar = encoders.of("syscall", "columnar").encode(batch).bytes;
    for (const encoding of ["ndjson", "otlp_logs"] as const) {
      const converted = await pool.convert(recorded.events, columnar, encoding);
      expect(converted).toEqual(encoders.of("syscall", encoding).encode(batch).bytes);
    }
    const damaged = columnar.slice(0, -1);
    await expect(pool.convert(recorded.events, damaged, "ndjson")).rejects.toThrow();
  });

  it("are free for the next batch, however much of a log they convert", async () => {
    const pool = openThreads(1);
    const batch = shared(pool, sliceBatch(recorded.all, 0, BATCH_RECORDS));
    const [columnar] = await encodeIn(pool, batch);
    const convert = () => pool.convert(recorded.events, columnar!.bytes, "ndjson");
    const converted = [];
    for (let next = convert(); next !== undefined; next = convert()) converted.push(next);
    expect(pool.idle).toBe(true);
    const encoded = pool.encode(recorded.events, ["ndjson"], batch);
    const bytes = (await encoded)?.[0]?.bytes;
    expect(converted.length).toBeGreaterThan(0);
    for (const each of await Promise.all(converted)) expect(each).toEqual(bytes);
  });

  it("that fail at batches say so once, and go on", async () => {
    const pool = openThreads(1, new Map());
    const batch = shared(pool, sliceBatch(recorded.all, 0, BATCH_RECORDS));
    await expect(encodeIn(pool, batch)).rejects.toThrow();
    await expect(encodeIn(pool, batch)).rejects.toThrow();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^a thread could not encode a batch \(.+\); the main thread does$/);
  });

  it("are no more than asked for, and none after the end", async () => {
    const pool = openThreads(2);
    const batch = shared(pool, sliceBatch(recorded.all, 0, BATCH_RECORDS));
    await encodeIn(pool, batch);
    await pool.close();
    expect(pool.encode(recorded.events, ENCODINGS, batch)).toBeUndefined();
    expect(pool.idle).toBe(true);
    expect(problems).toEqual([]);
  });
});

/** Decodes what it is sent. */
class Decoding implements BatchSink {
  readonly name = "decoding";
  readonly encoding = "columnar";
  readonly maxInFlight = 4;
  readonly records: Uint8Array[] = [];
  readonly #decoder = new ColumnarDecoder(recorded.schema, [zstdCodec()]);

  async send({ bytes }: { readonly bytes: Uint8Array }) {
    this.records.push(...recordsOf(this.#decoder.decode(bytes)));
    return { outcome: "accepted" } as const;
  }

  async close(): Promise<void> {}
}

describe("a run whose threads are killed", () => {
  it.each([1, 2])("delivers everything, in order; %i thread(s)", async (threads) => {
    const pool = openThreads(threads);
    const encoders = openEncoders();
    const sink = new Decoding();
    const processor = new BatchProcessor({
      config: { ...DEFAULT_BATCHING, max_batch_size: BATCH_RECORDS, adaptive: false },
      sinks: [sink],
      now_ns: () => performance.now() * 1e6,
      now_ms: () => performance.now(),
      random: () => 0.5,
      sleep: async (time_ms) => sleep(time_ms),
      encoder: (_, encoding) => encoders.of("syscall", encoding),
      schemaHeader: () => new Uint8Array(),
      pool,
    });
    const posted = vi.spyOn(Worker.prototype, "postMessage");
    const killed = new Set<Worker>();
    const written: Uint8Array[] = [];
    for (let after = 0; after < 5; ) {
      const first = written.length % (40 * BATCH_RECORDS);
      const batch = sliceBatch(recorded.all, first, BATCH_RECORDS);
      posted.mockClear();
      processor.write(batch, recorded.events);
      written.push(...recordsOf(batch));
      // With this batch in its hands.
      const worker = posted.mock.contexts[0] as Worker | undefined;
      if (killed.size === threads) after += 1;
      else if (worker === undefined) await sleep(5);
      else if (!killed.has(worker)) {
        killed.add(worker);
        void worker.terminate();
      }
    }
    await processor.flush();
    await processor.close();
    expect(problems).toHaveLength(threads);
    expect(problems[0]).toMatch(/^a thread that encodes batches ended \(.+\); the run goes on$/);
    expect(processor.getStats()).toMatchObject({
      eventsProcessed: written.length,
      eventsDropped: 0,
    });
    expect(Buffer.concat(sink.records).equals(Buffer.concat(written))).toBe(true);
  });
});
