/**
 * Random programs that follow pointers into values, records and their own frames: they spill and reload them,
 * overwrite what they spilled in many ways, and sometimes go outside. No verifier would take them.
 *
 * r6 and r7 hold pointers, r8 the sum of what was loaded, r9 a loop's rounds. Notes behind `#` are those of
 * safe_access_programs.ts; `FRAME` is the address where the entry function's frame ends.
 */

import fc from "fast-check";
import { SIZES } from "#property-tests/isa/sizes.ts";
import { input, type Statement, VALUE_BYTES, Writer } from "./pointer_program_text.ts";

export const INPUT_BYTES = 16;
export const RING_BYTES = 4096;

export interface PointerProgram {
  readonly text: string;
  /** What the map `input` holds. */
  readonly input: Uint8Array;
}

const DATA_WORDS = 4;
/** Behind the words: a key, and the record that is held. */
const KEY = -40;
const HELD = -48;

const pointer = fc.constantFrom("%r6", "%r7");
const word = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: DATA_WORDS }).map((index) => -8 * index) },
  { weight: 1, arbitrary: fc.constant(-512) },
);
const size = fc.constantFrom(...SIZES);
const signed = (offset: number): string => (offset < 0 ? `${offset}` : `+${offset}`);

const lines = (...texts: readonly string[]): Statement => ({
  kind: "lines",
  lines: texts.flatMap((text) => text.split("\n")),
});

/** Nearly always within a value. */
const offsetOf = (bytes: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.nat({ max: 15 }) },
    { weight: 3, arbitrary: fc.nat({ max: VALUE_BYTES - bytes }) },
    { weight: 1, arbitrary: fc.integer({ min: -9, max: VALUE_BYTES + 8 }) },
  );

const access = fc.tuple(size, pointer, fc.nat({ max: 4 })).chain(([[suffix, bytes], base, form]) =>
  offsetOf(bytes).map((offset) => {
    const place = `[${base}${signed(offset)}]`;
    const aligned = `[${base}${signed(8 * Math.floor(offset / 8))}]`;
    const forms = [
      `ldx${suffix} %r1, ${place}\nadd %r8, %r1`,
      `st${suffix} ${place}, ${offset * 3}`,
      `stx${suffix} ${place}, %r8`,
      `lock fetch add ${aligned}, %r8`,
      `load_acquire64 %r1, ${aligned}\nadd %r8, %r1`,
    ];
    return lines(forms[form]!);
  }),
);

/** Where there is none, a value that is always there. */
const orData = (register: string): string =>
  `mov ${register}, %r0\njne ${register}, 0, +2\nlddw ${register}, 0  # value data`;

const lookup = fc
  .tuple(
    fc.constantFrom("array", "hash", "percpu"),
    fc.nat({ max: 3 }),
    pointer,
    fc.nat({ max: 9 }),
  )
  .map(([map, key, register, unguarded]) =>
    lines(
      `stw [%r10${KEY}], ${key}`,
      `mov %r2, %r10\nadd %r2, ${KEY}\nlddw %r1, 0  # map ${map}\ncall 1`,
      unguarded === 0 ? `mov ${register}, %r0` : orData(register),
    ),
  );

const named = fc
  .tuple(pointer, fc.constantFrom("data", "data", "constants"), fc.constantFrom(0, 8, 12))
  .map(([register, map, offset]) => lines(`lddw ${register}, 0  # value ${map}+${offset}`));

const inputAt = fc.nat({ max: INPUT_BYTES - 1 });

const index = fc
  .tuple(pointer, inputAt, fc.constantFrom(3, 7, 8, 56, 63), fc.constantFrom(0, 0, 0, 1, 3))
  .map(([register, at, mask, form]) => {
    const change = form === 1 ? "\nlsh %r1, 1" : form === 3 ? "\nsub %r1, 3" : "";
    return lines(`${input("%r1", at)}\nand %r1, ${mask}${change}`, `add ${register}, %r1`);
  });

const step = fc
  .tuple(
    pointer,
    fc.constantFrom("add", "sub"),
    fc.oneof(fc.nat({ max: 8 }), fc.constantFrom(8, 8, 600_000)),
  )
  .map(([register, operation, by]) => lines(`${operation} ${register}, ${by}`));
const copy = pointer.map((to) => lines(`mov ${to}, ${to === "%r6" ? "%r7" : "%r6"}`));

const spill = fc.tuple(word, pointer).map(([at, from]) => lines(`stxdw [%r10${at}], ${from}`));
const reload = fc
  .tuple(word, pointer)
  .map(([at, to]) => lines(`ldxdw %r0, [%r10${at}]\njeq %r0, 0, +1\nmov ${to}, %r0`));
const there = fc
  .tuple(word, pointer, fc.nat({ max: 40 }))
  .map(([at, through, by]) =>
    lines(
      `stxdw [%r10${at}], ${through}\nldxdw %r1, [${through}]\nadd %r8, %r1`,
      `ldxdw ${through}, [%r10${at}]\nldxb %r1, [${through}+${by}]\nadd %r8, %r1`,
    ),
  );

/** Addresses of the frame, however they are come by. */
const framePointer = fc.constantFrom(
  "mov %r2, %r10",
  "mov %r2, %r10",
  "lddw %r2, FRAME",
  "mov %r2, %r7",
);
const overwrite = fc
  .tuple(framePointer, size, word, fc.integer({ min: -7, max: 7 }), fc.nat({ max: 2 }))
  .map(([get, [suffix, bytes], at, by, form]) => {
    const own = get === "mov %r2, %r7" ? 0 : at;
    const offset = own === 0 ? Math.abs(by) : Math.min(Math.max(own + by, -512), -bytes);
    const place = `[%r2${signed(offset)}]`;
    const forms = [`st${suffix} ${place}, ${by * 37}`, `stx${suffix} ${place}, %r6`];
    const atomic = `[%r2${signed(8 * Math.floor(offset / 8))}]`;
    return lines(get, forms[form] ?? `mov %r1, 8\nlock add ${atomic}, %r1`);
  });

/** Clears its buffer, as there is nothing to read at NULL. */
const helperWrite = fc
  .tuple(
    fc.constantFrom("%r10", "%r10", "%r6"),
    word,
    fc.nat({ max: 24 }),
    inputAt,
    fc.nat({ max: 4 }),
  )
  .map(([base, at, count, from, form]) => {
    const by = base === "%r10" ? (form === 0 ? -4 : at) : 8;
    const buffer = `mov %r1, ${base}\nadd %r1, ${by}`;
    if (form === 1) return lines(buffer, "mov %r2, 16\ncall 16");
    const known = form === 2 ? `${input("%r2", from)}\nand %r2, 15` : `mov %r2, ${count}`;
    return lines(known, buffer, "mov %r3, 0\ncall 113");
  });

const change = fc
  .tuple(fc.constantFrom(2, 3), fc.nat({ max: 3 }), word)
  .map(([helper, key, value]) =>
    lines(
      `stw [%r10${KEY}], ${key}\nmov %r2, %r10\nadd %r2, ${KEY}\nlddw %r1, 0  # map hash`,
      `mov %r3, %r10\nadd %r3, -64\nmov %r4, 0\ncall ${helper}\nadd %r8, ${value}`,
    ),
  );

const call = fc
  .tuple(fc.constantFrom("%r6", "%r10", "%r10"), word)
  .map(([base, at]) =>
    lines(
      `mov %r1, ${base}`,
      base === "%r10" ? `add %r1, ${at}` : "",
      "call local callee\nadd %r8, %r0",
    ),
  );
const callback = word.map((at) =>
  lines(
    `mov %r1, 2\nlddw %r2, 0  # function callback\nmov %r3, %r10\nadd %r3, ${at}\nmov %r4, 0\ncall 181`,
  ),
);

const plain: fc.Arbitrary<Statement> = fc.oneof(
  { weight: 8, arbitrary: access },
  { weight: 3, arbitrary: lookup },
  { weight: 2, arbitrary: named },
  { weight: 2, arbitrary: index },
  { weight: 1, arbitrary: step },
  { weight: 1, arbitrary: copy },
  { weight: 3, arbitrary: spill },
  { weight: 3, arbitrary: reload },
  { weight: 2, arbitrary: there },
  { weight: 3, arbitrary: overwrite },
  { weight: 2, arbitrary: helperWrite },
  { weight: 1, arbitrary: change },
);
const some = fc.array(plain, { maxLength: 4 });

const branch: fc.Arbitrary<Statement> = fc
  .record({ at: inputAt, taken: some, notTaken: some })
  .map((parts) => ({ kind: "branch", ...parts }));

/** Gives back what it reserved, unless that was overwritten; the pointer to it often stays. */
const record: fc.Arbitrary<Statement[]> = fc
  .tuple(fc.constantFrom(8, 24, 64, RING_BYTES - 80), some, fc.constantFrom(132, 133), fc.boolean())
  .map(([bytes, body, helper, stays]) => [
    lines(
      `lddw %r1, 0  # map ring\nmov %r2, ${bytes}\nmov %r3, 0\ncall 131\njeq %r0, 0, +2`,
      `stxdw [%r10${HELD}], %r0\nmov %r6, %r0`,
    ),
    ...body,
    lines(`ldxdw %r1, [%r10${HELD}]\njeq %r1, 0, +4\nmov %r2, 0\ncall ${helper}`),
    lines(`stdw [%r10${HELD}], 0\n${stays ? "ja +0" : "mov %r0, 0"}`),
    ...(stays ? [] : [lines("lddw %r6, 0  # value data")]),
  ]);

const structured: fc.Arbitrary<Statement[]> = fc.oneof(
  { weight: 6, arbitrary: fc.array(plain, { minLength: 1, maxLength: 4 }) },
  { weight: 2, arbitrary: branch.map((one) => [one]) },
  { weight: 2, arbitrary: record },
  { weight: 1, arbitrary: call.map((one) => [one]) },
  { weight: 1, arbitrary: callback.map((one) => [one]) },
);
const body = fc.array(structured, { maxLength: 3 }).map((parts) => parts.flat());
const loop: fc.Arbitrary<Statement> = fc
  .record({ rounds: fc.integer({ min: 2, max: 3 }), body })
  .map((parts) => ({ kind: "loop", ...parts }));

export const pointerProgram: fc.Arbitrary<PointerProgram> = fc
  .record({
    before: body,
    loops: fc.array(loop, { maxLength: 2 }),
    after: body,
    callee: some,
    called: some,
    input: fc.uint8Array({ minLength: INPUT_BYTES, maxLength: INPUT_BYTES }),
  })
  .map(({ before, loops, after, callee, called, input }) => {
    const writer = new Writer();
    writer.start("entry", "lddw %r7, 0  # value data");
    writer.statements([...before, ...loops, ...after]);
    writer.end("%r8");
    // Nobody need call them.
    if (writer.text().includes("local callee")) {
      writer.start("callee", "mov %r7, %r1");
      writer.statements(callee);
      writer.end("%r8");
    }
    if (writer.text().includes("function callback")) {
      writer.start("callback", "mov %r7, %r2");
      writer.statements(called);
      writer.end("0");
    }
    const program = { text: writer.text(), input };
    return Object.assign(program, { [fc.toStringMethod]: () => `${input}\n${program.text}\n` });
  });
