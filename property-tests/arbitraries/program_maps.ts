/** What random programs do with maps: every operation of a program, on maps that are soon full. */

import fc from "fast-check";
import { MAP_FLAG, MAP_TYPE, type MapSpec } from "#core/backend.ts";
import {
  DATA_WORDS,
  mapAndKey,
  SET_ARGUMENTS,
  type Statement,
} from "#property-tests/arbitraries/program_text.ts";

const VALUE_BYTES = 16;
/** One more than the hash holds. */
const KEYS = 4;

/** The maps that `lddw %rN, map n` names. */
export const PROGRAM_MAPS: readonly MapSpec[] = [
  {
    name: "array",
    type: MAP_TYPE.array,
    keySize: 4,
    valueSize: VALUE_BYTES,
    maxEntries: KEYS - 1,
    flags: MAP_FLAG.MMAPABLE,
  },
  {
    name: "hash",
    type: MAP_TYPE.hash,
    keySize: 4,
    valueSize: VALUE_BYTES,
    maxEntries: KEYS - 1,
    flags: 0,
  },
  { name: "queue", type: MAP_TYPE.queue, keySize: 0, valueSize: 8, maxEntries: 2, flags: 0 },
];
const QUEUE = 2;

const HELPER = { update: 2, delete: 3, push: 87, pop: 88, peek: 89 } as const;

const keyed = fc.record({ map: fc.nat({ max: QUEUE - 1 }), key: fc.nat({ max: KEYS - 1 }) });
/** Below or among the callee-saved registers: arguments are gone after the call. */
const kept = fc.integer({ min: 6, max: 9 }).map((number) => `%r${number}`);

const valueAccess = fc
  .record({
    size: fc.constantFrom("b", "h", "w", "dw"),
    place: fc.nat({ max: VALUE_BYTES - 8 }),
    word: fc.constantFrom(0, 8),
    register: kept,
    form: fc.nat({ max: 4 }),
  })
  .map(({ size, place, word, register, form }) => {
    const texts = [
      `ldx${size} ${register}, [%r0+${place}]`,
      `stx${size} [%r0+${place}], ${register}`,
      `st${size} [%r0+${place}], ${place * 77 - 300}`,
      `lock add [%r0+${word}], ${register}`,
      `lock fetch xor [%r0+${word}], ${register}`,
    ];
    return texts[form]!;
  });

const lookup = fc
  .record({ at: keyed, access: fc.array(valueAccess, { minLength: 1, maxLength: 3 }) })
  .map(({ at, access }) => ({ kind: "lookup" as const, ...at, access }));

const called = (helper: number, lines: readonly string[]): Statement => ({
  kind: "lines",
  lines: [...lines, `call helper ${helper}`, ...SET_ARGUMENTS],
});

/** The new value is what lies on the stack. Flags that exist, and one that does not. */
const update = fc
  .tuple(keyed, fc.constantFrom(0, 0, 1, 2, 3))
  .map(([{ map, key }, flags]) =>
    called(HELPER.update, [
      ...mapAndKey(map, key),
      "mov %r3, %r10",
      `add %r3, -${VALUE_BYTES}`,
      `mov %r4, ${flags}`,
    ]),
  );

const remove = keyed.map(({ map, key }) => called(HELPER.delete, mapAndKey(map, key)));

const queued = fc
  .tuple(
    fc.constantFrom(HELPER.push, HELPER.pop, HELPER.peek),
    fc.integer({ min: 1, max: DATA_WORDS }),
    fc.constantFrom(0, 2),
  )
  .map(([helper, word, flags]) =>
    called(helper, [
      "mov %r2, %r10",
      `add %r2, -${word * 8}`,
      `lddw %r1, map ${QUEUE}`,
      `mov %r3, ${flags}`,
    ]),
  );

/** r0 afterwards holds what the helper returned, or a number that has nothing to do with it. */
export const mapStatement: fc.Arbitrary<Statement> = fc.oneof(
  { weight: 4, arbitrary: lookup },
  { weight: 3, arbitrary: update },
  { weight: 1, arbitrary: remove },
  { weight: 2, arbitrary: queued },
);
