/** Batches on their way through threads, whose steps the test decides. */
import { expect, it } from "vitest";
import type { RecordBatch } from "#core/backend.ts";
import { EncodingLine } from "#core/batching/encoding_line.ts";
import { MemoryBudget } from "#core/batching/memory_budget.ts";
import { RecordBuffer } from "#core/batching/record_buffer.ts";
import { Ticket } from "#core/batching/ticket.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import { ScheduledPool } from "../../../property-tests/batching/scheduled_pool.ts";

const SCHEMA = { collector: { name: "test" } } as unknown as EventSchema;
const RECORD_BYTES = 64;
/** Of text to that of a record. */
const GROWTH = 6;
const TEXT = {
  encoding: "ndjson" as const,
  encode: ({ count }: RecordBatch) => {
    const rawBytes = count * RECORD_BYTES;
    return { bytes: new Uint8Array(GROWTH * rawBytes), count, rawBytes, malformed: 0 };
  },
};

function recordBuffer(count: number): RecordBuffer {
  const buffer = new RecordBuffer(4096, (bytes) => new ArrayBuffer(bytes));
  const bytes = new Uint8Array(count * RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  const offsets = Uint32Array.from({ length: count }, (_, i) => i * RECORD_BYTES);
  const lengths = new Uint32Array(count).fill(RECORD_BYTES);
  buffer.add({ buffer: bytes, view, offsets, lengths, count }, 0, count);
  return buffer;
}

it("holds as much memory for what threads have as that takes when it leaves", async () => {
  const limit_bytes = 100_000;
  const memory = new MemoryBudget(limit_bytes);
  const pool = new ScheduledPool(TEXT, 1000);
  const kept: boolean[] = [];
  const line = new EncodingLine({
    schema: SCHEMA,
    encodings: ["ndjson"],
    encoder: () => TEXT,
    pool,
    memory,
    // A sink that takes nothing yet.
    leave: (_, encoded) => {
      kept.push(typeof encoded === "object" && memory.take(encoded[0]!.bytes.length));
    },
    recycle: () => {},
    freed: () => {},
  });
  const add = (): void => {
    line.add(recordBuffer(10), new Ticket("test", 10, 0, new Map([[0, 10]]), 1));
  };
  const step = async (): Promise<void> => {
    pool.step(0, "encoded");
    await new Promise((resolve) => setImmediate(resolve));
  };
  add();
  await step();
  // A source that waits for room.
  while (memory.fill < 0.5) add();
  while (line.pending > 0) await step();
  expect(kept.length).toBeGreaterThan(10);
  expect(kept).not.toContain(false);
  expect(memory.used_bytes).toBe(kept.length * 10 * RECORD_BYTES * GROWTH);
});
