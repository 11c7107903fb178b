/** The runtime's ring buffer against the model: results, positions, wake-ups, bytes, order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAP_TYPE } from "#core/backend.ts";
import { openRing, type WasmRing } from "#wasm/ring.ts";
import { Machine } from "../test/support/machine.ts";
import { type Delivered, type ModelRecord, RingModel, type Wakeup } from "./models/ring.ts";
import { checkProperty } from "./property.ts";

const SIZE_BYTES = 4096;
const HEADER_BYTES = 8;
const EAGAIN = -11;
const NO_SUCH_QUERY = 9;

type Step =
  | { readonly kind: "reserve"; readonly length: number; readonly fill: number }
  /** Ends the nth record that is still reserved. */
  | {
      readonly kind: "end";
      readonly nth: number;
      readonly discard: boolean;
      readonly wakeup: Wakeup;
    }
  | {
      readonly kind: "output";
      readonly length: number;
      readonly fill: number;
      readonly wakeup: Wakeup;
    }
  /** Outputs what would leave `left` bytes of the ring free; negative: more than fits. */
  | { readonly kind: "fill_up"; readonly left: number; readonly fill: number }
  | { readonly kind: "consume"; readonly room: number; readonly throws: boolean };

const fill = fc.integer({ min: 1, max: 255 });
const wakeup = fc.constantFrom<Wakeup>("default", "none", "force");
// Around zero, around a granule, around what fills the ring, and anything between.
const length = fc.oneof(
  { weight: 4, arbitrary: fc.nat(64) },
  { weight: 2, arbitrary: fc.integer({ min: 900, max: 1500 }) },
  { weight: 1, arbitrary: fc.integer({ min: SIZE_BYTES - 24, max: SIZE_BYTES + 8 }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("reserve"), length, fill }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("end"),
      nth: fc.nat(7),
      discard: fc.boolean(),
      wakeup,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("output"), length, fill, wakeup }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("fill_up"),
      left: fc.integer({ min: -1, max: 2 }).map((granules) => 8 * granules),
      fill,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("consume"),
      room: fc.oneof(fc.nat(3), fc.constant(1000)),
      throws: fc.boolean(),
    }),
  },
) as fc.Arbitrary<Step>;

const WAKEUP_FLAGS: Readonly<Record<Wakeup, number>> = { default: 0, none: 1, force: 2 };

interface Reserved {
  readonly address: number;
  readonly record: ModelRecord;
}

/** One ring of the machine beside its model; every step is made on both and compared. */
class Pair {
  readonly machine: Machine;
  readonly model = new RingModel(SIZE_BYTES);
  readonly map: number;
  readonly handle: number;
  readonly reader: WasmRing;
  readonly source: number;
  readonly reserved: Reserved[] = [];

  constructor(machine: Machine, batchRecords: number) {
    this.machine = machine;
    const map = machine.createMap({ type: MAP_TYPE.ringbuf, maxEntries: SIZE_BYTES });
    this.map = map.address;
    this.handle = map.handle;
    this.reader = openRing(machine.instance, "events", map.handle, batchRecords);
    this.source = machine.memory(SIZE_BYTES + 8);
  }

  apply(step: Step): void {
    if (step.kind === "reserve") this.reserve(step.length, step.fill);
    else if (step.kind === "end") this.end(step.nth, step.discard, step.wakeup);
    else if (step.kind === "output") this.output(step.length, step.fill, step.wakeup);
    else if (step.kind === "fill_up") this.fillUp(step.left, step.fill);
    else this.consume(step.room, step.throws);
  }

  fillUp(left: number, fill: number): void {
    const length = SIZE_BYTES - this.model.available - HEADER_BYTES - left;
    if (length > 0) this.output(length, fill, "default");
  }

  reserve(length: number, fill: number): void {
    const address = this.machine.call("ringbuf_reserve", this.map, length, 0);
    const record = this.model.reserve(length, fill);
    expect(address !== 0).toBe(record !== undefined);
    if (record === undefined) return;
    this.machine.instance.u8.fill(fill, address, address + length);
    this.reserved.push({ address, record });
  }

  end(nth: number, discard: boolean, wakeup: Wakeup): void {
    const [ended] = this.reserved.splice(nth % Math.max(1, this.reserved.length), 1);
    if (ended === undefined) return;
    const helper = discard ? "ringbuf_discard" : "ringbuf_submit";
    expect(this.machine.call(helper, ended.address, WAKEUP_FLAGS[wakeup])).toBe(0);
    this.model.commit(ended.record, discard, wakeup);
  }

  output(length: number, fill: number, wakeup: Wakeup): void {
    this.machine.instance.u8.fill(fill, this.source, this.source + length);
    const flags = WAKEUP_FLAGS[wakeup];
    const status = this.machine.call("ringbuf_output", this.map, this.source, length, flags);
    expect(status).toBe(this.model.output(length, fill, wakeup) ? 0 : EAGAIN);
  }

  consume(room: number, throws: boolean): void {
    if (throws) {
      this.consumeThrowing();
      return;
    }
    const delivered: Delivered[] = [];
    const count = this.reader.consume(({ buffer, offsets, lengths, count }) => {
      for (let i = 0; i < count; i++) delivered.push(recordOf(buffer, offsets[i]!, lengths[i]!));
    }, room);
    const expected = this.model.consume(room);
    expect(delivered).toEqual(expected);
    expect(count).toBe(expected.length);
  }

  /** A handler that throws frees nothing of its batch. */
  consumeThrowing(): void {
    const before = this.reader.availableBytes();
    const first = this.model.records.find(({ state }) => state !== "discarded");
    const consume = (): number =>
      this.reader.consume(() => {
        throw new Error("handler");
      });
    if (first?.state === "committed") {
      expect(consume).toThrow("handler");
      expect(this.reader.availableBytes()).toBe(before);
    } else {
      expect(consume()).toBe(0);
      this.model.consume(1);
    }
  }

  compare(): void {
    const query = (flags: number): number => this.machine.call("ringbuf_query", this.map, flags);
    const { available, consumer, producer, wakeups } = this.model;
    expect([0, 1, 2, 3, NO_SUCH_QUERY].map(query)).toEqual([
      available,
      SIZE_BYTES,
      consumer,
      producer,
      0,
    ]);
    expect(this.reader.availableBytes()).toBe(available);
    expect(this.reader.wakeups()).toBe(wakeups);
  }

  close(): void {
    for (const { address } of this.reserved) this.machine.call("ringbuf_discard", address, 0);
    const { exports } = this.machine.instance;
    this.reader.close();
    exports.rt_map_close(this.handle);
    exports.context_destroy(this.source, SIZE_BYTES + 8);
  }
}

function recordOf(buffer: Uint8Array, offset: number, length: number): Delivered {
  const bytes = buffer.subarray(offset, offset + length);
  const fill = bytes[0] ?? 0;
  if (!bytes.every((byte) => byte === fill)) throw new Error("a record's bytes were mixed up");
  return { length, fill };
}

/** A record without bytes has no fill to compare. */
const fillNonEmpty = (steps: readonly Step[]): Step[] =>
  steps.map((step) => ("length" in step && step.length === 0 ? { ...step, fill: 0 } : step));

describe("the ring buffer of the wasm runtime", () => {
  it("answers every sequence of reservations, commits, outputs and reads as the model", async () => {
    const machine = await Machine.create();
    const sequences = fc.array(step, { minLength: 1, maxLength: 80 }).map(fillNonEmpty);
    new Pair(machine, 1).close(); // the first map brings the table of handles into being
    const used = machine.instance.exports.rt_memory_used();
    checkProperty(
      "ring buffer",
      fc.property(sequences, fc.integer({ min: 1, max: 8 }), (steps, batchRecords) => {
        const pair = new Pair(machine, batchRecords);
        try {
          for (const step of steps) {
            pair.apply(step);
            pair.compare();
          }
        } finally {
          pair.close();
        }
      }),
    );
    expect(machine.instance.exports.rt_memory_used()).toBe(used);
  });
});
