/** Schedules of producers on any CPU and one consumer, around the limits of rings of 4 and 8 KiB. */

import fc from "fast-check";
import type { RingOperation } from "#property-tests/models/program_ring.ts";

const outputSize = fc.oneof(
  fc.nat({ max: 64 }),
  fc.nat({ max: 4096 }),
  fc.constantFrom(0, 1, 7, 8, 9, 2000, 4079, 4080, 4081, 4088, 4089, 8184, 8185, 16384),
);
/** Sizes of the reservations that are compiled into the program. */
const reservedSize = fc.constantFrom(8, 100, 1000, 4080);
const dynptrSize = fc.oneof(outputSize, fc.constantFrom(0xffffff, 0x1000000, 0xffffffff));

const commitFlags = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(0, 1, 2, 3) },
  { weight: 1, arbitrary: fc.constantFrom(4, 8, 2 ** 32) },
);
const reserveFlags = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(1, 2, 2 ** 32) },
);

interface Choice {
  readonly weight: number;
  readonly kinds: readonly RingOperation["kind"][];
  readonly size: fc.Arbitrary<number>;
  readonly flags: fc.Arbitrary<number>;
}

const zero = fc.constant(0);

const CHOICES: readonly Choice[] = [
  {
    weight: 6,
    kinds: ["output", "output_in_submit", "output_in_discard"],
    size: outputSize,
    flags: commitFlags,
  },
  { weight: 4, kinds: ["submit", "discard"], size: reservedSize, flags: commitFlags },
  { weight: 3, kinds: ["dynptr_submit", "dynptr_discard"], size: dynptrSize, flags: commitFlags },
  { weight: 2, kinds: ["query"], size: zero, flags: fc.nat({ max: 5 }) },
  { weight: 5, kinds: ["consume"], size: zero, flags: zero },
];

/** Without dynptr operations where `dynptr` is false. */
export function ringOperations(dynptr: boolean): fc.Arbitrary<RingOperation[]> {
  const choices = CHOICES.filter(({ kinds }) => dynptr || !kinds.includes("dynptr_submit"));
  const operation = fc.oneof(
    ...choices.map(({ weight, kinds, size, flags }) => ({
      weight,
      arbitrary: fc.record({
        kind: fc.constantFrom(...kinds),
        size,
        flags,
        reserveFlags,
        stamp: fc.nat({ max: 0xffffffff }),
        cpu: fc.nat({ max: 7 }),
        max: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
      }),
    })),
  );
  return fc.array(operation.map(printable), { size: "medium" });
}

function printable(operation: RingOperation): RingOperation {
  return Object.assign(operation, { [fc.toStringMethod]: () => describeRingOperation(operation) });
}

export function describeRingOperation(operation: RingOperation): string {
  const { kind, size, flags, reserveFlags: reserve, stamp, cpu, max } = operation;
  if (kind === "consume") return `consume(${max ?? "all"})`;
  if (kind === "query") return `query(${flags})`;
  const flagText = `flags ${flags}${reserve === 0 ? "" : `, reserve flags ${reserve}`}`;
  return `CPU ${cpu}: ${kind}(${size} bytes, stamp ${stamp}, ${flagText})`;
}
