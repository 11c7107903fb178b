/** Programs that try to make the analysis believe in numbers and frames that are not so. */
import { afterAll, describe, expect, it } from "vitest";
import { MAP_TYPE } from "#core/backend.ts";
import { aotEngine, createAotEngine } from "#wasm/engines/aot/aot.ts";
import { ubpfEngine } from "#wasm/engines/ubpf/ubpf.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import { createMap, useEngine } from "../../../../wasm/program_fixture.ts";
import { type Maps, runNoted, wantedOutcome } from "./safe_access_programs.ts";

const PARANOID = createAotEngine("paranoid");
const ENGINES = [aotEngine, PARANOID, ubpfEngine];

afterAll(() => useEngine(aotEngine));

const maps = (instance: RuntimeInstance): Maps => ({
  hash: filledHash(instance),
  data: createMap(instance, { valueSize: 64 }),
});

function filledHash(instance: RuntimeInstance) {
  const map = createMap(instance, { name: "hash", type: MAP_TYPE.hash, valueSize: 64 });
  map.update(new Uint8Array(4), new Uint8Array(64));
  return map;
}

const KEY = `
  stdw [%r10-8], 0
  mov %r2, %r10
  add %r2, -8
  lddw %r1, 0  # map hash
`;
/** The value in r7, which was used. */
const LOOK_UP = `
  ${KEY}
  call 1
  jne %r0, 0, found
  exit
found:
  mov %r7, %r0
  ldxdw %r0, [%r7]
`;
/** r2 is no small number, whatever it looks like: one more page than that would do. */
const USE_R2 = `
  mul %r2, 4096
  add %r7, %r2
  ldxdw %r0, [%r7]  # faults
  mov %r0, 0
  exit`;

const times = (count: number, line: string): string => `${line}\n`.repeat(count);

const NUMBERS = [
  {
    what: "constants that a double does not hold",
    text: `${LOOK_UP}
      lddw %r2, 0x20000000000001
      lddw %r3, 0x20000000000000
      sub %r2, %r3
      ${USE_R2}`,
  },
  {
    what: "a sum that grows beyond what a double holds",
    text: `${LOOK_UP}
      lddw %r2, 0x20000000000000
      ${times(4, "add %r2, 1")}
      lddw %r3, 0x20000000000000
      sub %r2, %r3
      ${USE_R2}`,
  },
  {
    what: "an offset that grows beyond what a double holds",
    text: `
      lddw %r7, 0  # value data
      lddw %r2, 0xffe0000000000001
      add %r7, %r2
      sub %r7, 5
      ${times(64, "add %r7, 1")}
      add %r7, 5
      sub %r7, %r2
      ldxdw %r0, [%r7]  # faults
      mov %r0, 0
      exit`,
  },
  {
    what: "a logical or of a number with one bit so high that its logarithm is not exact",
    text: `${LOOK_UP}
      lddw %r2, 0x2000000000000
      or %r2, 0
      rsh %r2, 49
      ${USE_R2}`,
  },
] as const;

/** The first argument is no context where the entry function calls itself. */
const ENTERED_AGAIN = `
again:
  mov %r9, %r1
  ${LOOK_UP}
  mov %r2, %r9
  rsh %r2, 32
  jne %r2, 0, entered
  lddw %r1, 0x10000000000
  call local again
  exit
entered:
  mov %r2, %r9
  rsh %r2, 28
  add %r7, %r2
  ldxdw %r0, [%r7]  # faults
  mov %r0, 0
  exit`;

describe.each(ENGINES)("on $name, $mode,", (engine) => {
  it.each(NUMBERS)("$what", async ({ text }) => {
    expect(await runNoted(engine, text, maps)).toEqual(wantedOutcome(text));
  });
});

// uBPF gives an entry function that is called no frame.
it.each([aotEngine, PARANOID])(
  "an entry function that calls itself has no context, on $name, $mode",
  async (engine) => {
    expect(await runNoted(engine, ENTERED_AGAIN, maps)).toEqual(wantedOutcome(ENTERED_AGAIN));
  },
);
