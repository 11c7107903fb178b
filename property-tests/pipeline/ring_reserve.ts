/**
 * What is left of a ring to errors, on any backend: a collector's program runs for calls that failed or not, and its
 * counters and records must be those of a ring that a few lines of arithmetic describe.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect } from "vitest";
import type { Backend } from "#core/backend.ts";
import type { Btf } from "#core/btf/btf.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import { createEventSchema } from "#core/events/event_schema.ts";
import { StatisticsMap } from "#core/pipeline/statistics_map.ts";
import { setReservedBytes } from "#core/rings/ring_settings.ts";
import { encodeContext } from "../arbitraries/collector_runs.ts";
import { runnableOnRequest } from "../conformance/differential_collectors.ts";

const SECTIONS = ["tp/raw_syscalls/sys_enter", "tp/raw_syscalls/sys_exit"];
const PROGRAM_EXIT = 1;
const PROGRAM = "syscall_exit";
const EAGAIN = 11n;
const RING_BYTES = 4096;
const RING_HEADER_BYTES = 8;
const COLLECTOR = COLLECTORS.get("syscall")!;

export type ReserveStep =
  | { readonly kind: "call"; readonly failed: boolean; readonly times: number }
  | { readonly kind: "consume"; readonly records: number }
  | { readonly kind: "reserve"; readonly bytes: number };

export const reserveSteps: fc.Arbitrary<readonly ReserveStep[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("call" as const),
      failed: fc.boolean(),
      times: fc.integer({ min: 1, max: 20 }),
    }),
    fc.record({ kind: fc.constant("consume" as const), records: fc.integer({ min: 1, max: 20 }) }),
    // Around none, around all, and multiples of nothing.
    fc.record({
      kind: fc.constant("reserve" as const),
      bytes: fc.oneof(fc.constantFrom(0, 1, 4095), fc.integer({ min: 0, max: 4095 })),
    }),
  ),
  { minLength: 1, maxLength: 30 },
);

class Model {
  reserved = 0;
  refused = 0;
  full = 0;
  /** Waiting records: whether each call failed. */
  readonly waiting: boolean[] = [];
  readonly #room: number;

  constructor(recordBytes: number) {
    this.#room = Math.ceil((recordBytes + RING_HEADER_BYTES) / 8) * 8;
  }

  call(failed: boolean): void {
    const after = (this.waiting.length + 1) * this.#room;
    if (!failed && this.reserved > 0 && after > RING_BYTES - this.reserved) this.refused += 1;
    else if (after > RING_BYTES - 1) this.full += 1;
    else this.waiting.push(failed);
  }
}

function contextOf(kernel: Btf, failed: boolean): Uint8Array {
  const contexts = ["trace_event_raw_sys_exit"];
  const fields = { ret: failed ? -EAGAIN : 1n };
  return encodeContext(kernel, { program: PROGRAM, contexts, fields });
}

/** Runs the steps on the backend, whose kernel has these types, and on the model, and compares after each. */
export function checkRingReserve(
  backend: Backend,
  kernel: Btf,
  steps: readonly ReserveStep[],
): void {
  const bytes = new Uint8Array(readFileSync(`build/bpf/${COLLECTOR.object}`));
  const object = backend.open(runnableOnRequest(bytes, SECTIONS), {
    programs: ["syscall_enter", PROGRAM],
    maxEntries: { [COLLECTOR.ring]: RING_BYTES },
  });
  object.load();
  const schema = createEventSchema(object.btf, COLLECTOR);
  const [type] = [...schema.types.values()];
  const ring = object.maps.get(COLLECTOR.ring)!.ring();
  const statistics = new StatisticsMap(object.maps.get(COLLECTOR.statistics)!, object.btf);
  const program = object.programs.get(PROGRAM)!;
  const model = new Model(type!.size);
  try {
    for (const step of steps) {
      if (step.kind === "reserve") {
        model.reserved = step.bytes;
        setReservedBytes(object, step.bytes, RING_BYTES);
      } else if (step.kind === "call") {
        program.run(contextOf(kernel, step.failed), { repeat: step.times });
        for (let i = 0; i < step.times; i++) model.call(step.failed);
      } else {
        const found: boolean[] = [];
        ring.consume(({ buffer, offsets, count }) => {
          for (let i = 0; i < count; i++) {
            const event = type!.codec.decode(buffer, offsets[i]!) as unknown as { error: number };
            found.push(event.error !== 0);
          }
        }, step.records);
        expect(found).toEqual(model.waiting.splice(0, step.records));
      }
      let [reserved, full, dropped] = [0, 0, 0];
      for (const cpu of statistics.read(PROGRAM_EXIT)) {
        reserved += cpu.dropped_ring_reserved;
        full += cpu.dropped_ring_full;
        dropped += cpu.events_dropped;
      }
      expect({ reserved, full }).toEqual({ reserved: model.refused, full: model.full });
      expect(dropped).toBe(reserved + full);
    }
  } finally {
    ring.close();
    object.close();
  }
}
