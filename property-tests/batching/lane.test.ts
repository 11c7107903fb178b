/** Records of any ring, gathered to batches of any size: their bytes and the ticket's counts are those of the ring. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { RecordBatch } from "#core/backend.ts";
import { Lane } from "#core/batching/lane.ts";
import type { Ticket } from "#core/batching/ticket.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import { recordsOf } from "../arbitraries/ring_records.ts";
import { checkProperty } from "../property.ts";

const HEADER_BYTES = 16;
const SCHEMA = {
  collector: { name: "test" },
  headerSize: HEADER_BYTES,
  header: {
    timestamp_ns: (view: DataView, at: number) => view.getFloat64(at, true),
    program: (view: DataView, at: number) => view.getUint16(at + 8, true),
    cpu: (view: DataView, at: number) => view.getUint16(at + 10, true),
  },
} as unknown as EventSchema;

const rare = { weight: 1, arbitrary: fc.nat(0xffff) };

/** A record of a ring, and how far behind the one before it lies. */
interface RingRecord {
  readonly length: number;
  readonly gap: number;
  readonly time_ns: number;
  readonly program: number;
  readonly cpu: number;
  readonly fill: number;
}

const record: fc.Arbitrary<RingRecord> = fc.record({
  length: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 16, max: 60 }) }, fc.nat(15)),
  gap: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(0, 8) }, fc.constantFrom(16, 24, 400)),
  time_ns: fc.nat(1000),
  program: fc.oneof({ weight: 8, arbitrary: fc.nat(2) }, rare),
  cpu: fc.oneof({ weight: 8, arbitrary: fc.nat(3) }, rare),
  fill: fc.nat(255),
});

/** `turn`: the ring's end lies before this record, which is at its start. */
function ringOf(records: readonly RingRecord[], turn: number): RecordBatch {
  const size = 8 + records.reduce((sum, { length, gap }) => sum + length + gap + 8, 0);
  const buffer = new Uint8Array(2 * size);
  const view = new DataView(buffer.buffer);
  const offsets = new Uint32Array(records.length);
  let at = size;
  records.forEach(({ length, gap, time_ns, program, cpu, fill }, i) => {
    if (i === turn) at = 0;
    at = (at + gap + 7) & ~7;
    offsets[i] = at;
    buffer.fill(fill, at, at + length);
    if (length >= HEADER_BYTES) {
      view.setFloat64(at, time_ns, true);
      view.setUint16(at + 8, program, true);
      view.setUint16(at + 10, cpu, true);
    }
    at += length;
  });
  const lengths = Uint32Array.from(records, ({ length }) => length);
  return { buffer, view, offsets, lengths, count: records.length };
}

/** Events by program and CPU, as a loss tells them. */
function countsOf(ticket: Ticket): Map<string, number> {
  const counts = new Map<string, number>();
  ticket.lose("shutdown", (_, __, program, cpu, count) => counts.set(`${program} ${cpu}`, count));
  return counts;
}

it("gathers every record once, in order, and counts it", () => {
  const property = fc.property(
    fc.array(fc.tuple(fc.array(record, { maxLength: 30 }), fc.nat(30)), { maxLength: 5 }),
    fc.record({ events: fc.integer({ min: 1, max: 40 }), bytes: fc.integer({ min: 1, max: 900 }) }),
    (rings, limits) => {
      const lane = new Lane(SCHEMA, 64);
      const gathered: Uint8Array[] = [];
      const take = (): void => {
        const { records, ticket } = lane.take(1);
        const taken = recordsOf(records.batch());
        const views = taken.map((bytes) => new DataView(bytes.slice().buffer));
        const keys = views.map((view) => `${view.getUint16(8, true)} ${view.getUint16(10, true)}`);
        const expected = new Map<string, number>();
        for (const key of keys) expected.set(key, (expected.get(key) ?? 0) + 1);
        expect(countsOf(ticket)).toEqual(expected);
        expect(ticket.count).toBe(taken.length);
        expect(ticket.count).toBeLessThanOrEqual(limits.events);
        expect(ticket.oldest_ns).toBe(Math.min(...views.map((view) => view.getFloat64(0, true))));
        // Only the last record may go beyond the bytes of a batch.
        const bytes = taken.slice(0, -1).reduce((sum, { length }) => sum + length, 0);
        expect(bytes).toBeLessThan(limits.bytes);
        gathered.push(...taken);
        lane.recycle(records);
      };
      const written: Uint8Array[] = [];
      for (const [records, turn] of rings) {
        const ring = ringOf(records, turn);
        written.push(...recordsOf(ring).filter(({ length }) => length >= HEADER_BYTES));
        for (let next = 0; next < ring.count; ) {
          next = lane.gather(ring, next, 0, limits);
          if (lane.count >= limits.events || lane.bytes >= limits.bytes) take();
        }
      }
      if (lane.count > 0) take();
      expect(gathered).toEqual(written);
    },
  );
  checkProperty("lanes", property);
});
