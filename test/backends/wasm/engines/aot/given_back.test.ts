/** Records that a program no longer has: none is touched without a check. */
import { afterAll, describe, expect, it } from "vitest";
import { MAP_TYPE } from "#core/backend.ts";
import { aotEngine, createAotEngine } from "#wasm/engines/aot/aot.ts";
import type { Engine } from "#wasm/engines/engine.ts";
import { ubpfEngine } from "#wasm/engines/ubpf/ubpf.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import type { WasmMap } from "#wasm/map.ts";
import {
  createInstance,
  createMap,
  loadProgram,
  useEngine,
} from "../../../../wasm/program_fixture.ts";
import {
  linkNoted,
  type Maps,
  type Outcome,
  outcomeOf,
  runNoted,
  wantedOutcome,
} from "./safe_access_programs.ts";

const ENGINES = [aotEngine, createAotEngine("paranoid"), ubpfEngine];
const RING_BYTES = 4096;

afterAll(() => useEngine(aotEngine));

const createRing = (instance: RuntimeInstance): WasmMap =>
  createMap(instance, {
    name: "ring",
    type: MAP_TYPE.ringbuf,
    keySize: 0,
    valueSize: 0,
    maxEntries: RING_BYTES,
  });

const maps = (instance: RuntimeInstance): Maps => ({ ring: createRing(instance) });

/** Leaves a record of that size in the register. */
const reserve = (register: string, size: number, map = "ring"): string => `
  lddw %r1, 0  # map ${map}
  mov %r2, ${size}
  mov %r3, 0
  call 131
  jne %r0, 0, +1
  exit
  mov ${register}, %r0
`;
const release = (helper: number, register: string): string =>
  `mov %r1, ${register}\nmov %r2, 0\ncall ${helper}\n`;
const END = "mov %r0, 0\nexit\n";

const RECORDS = [
  ...[132, 133].map((helper) => ({
    what: `a record, after helper ${helper}`,
    text: `${reserve("%r6", 64)}stdw [%r6], 1\n${release(helper, "%r6")}
      stdw [%r6+8], 1  # faults
      ${END}`,
  })),
  {
    what: "a record that was spilled, after it was submitted",
    text: `${reserve("%r6", 64)}stdw [%r6], 1\nstxdw [%r10-16], %r6\n${release(132, "%r6")}
      ldxdw %r7, [%r10-16]
      ldxdw %r0, [%r7+8]  # faults
      ${END}`,
  },
  {
    what: "a record that one of two paths gave back",
    text: `mov %r8, %r1\n${reserve("%r6", 64)}stdw [%r6], 1\nldxdw %r8, [%r8]
      jne %r8, 0, kept
      ${release(133, "%r6")}
    kept:
      stdw [%r6+8], 1  # faults
      ${END}`,
  },
  {
    what: "a record that a subprogram submitted",
    text: `${reserve("%r6", 64)}stdw [%r6], 1\nmov %r1, %r6\ncall local gives
      stdw [%r6+8], 1  # faults
      ${END}
    gives:
      mov %r2, 0
      call 132
      mov %r0, 0
      exit`,
  },
  {
    what: "a record that a callback discarded",
    text: `${reserve("%r6", 64)}stdw [%r6], 1
      mov %r1, 1
      lddw %r2, 0  # function gives
      mov %r3, %r6
      mov %r4, 0
      call 181
      stdw [%r6+8], 1  # faults
      ${END}
    gives:
      mov %r1, %r2
      mov %r2, 0
      call 133
      mov %r0, 0
      exit`,
  },
  {
    what: "a record that a helper submitted which is called by its number",
    text: `${reserve("%r6", 64)}stdw [%r6], 1\nmov %r1, %r6\nmov %r2, 0\nmov %r8, 132\ncall %r8
      stdw [%r6+8], 1  # faults
      ${END}`,
  },
  {
    what: "the record of the round before",
    text: `mov %r8, 0\nmov %r7, 0
    again:
      jeq %r7, 0, first
      ldxdw %r1, [%r7]  # faults
    first:
      ${reserve("%r6", 64)}
      stdw [%r6], 1
      mov %r7, %r6
      ${release(133, "%r6")}
      add %r8, 1
      jlt %r8, 2, again
      ${END}`,
  },
  {
    what: "a record behind a dynptr",
    text: `lddw %r1, 0  # map ring
      mov %r2, 64
      mov %r3, 0
      mov %r4, %r10
      add %r4, -32
      call 198
      mov %r1, %r10
      add %r1, -32
      mov %r2, 0
      mov %r3, 64
      call 203
      mov %r7, %r0
      stdw [%r7], 1
      mov %r1, %r10
      add %r1, -32
      mov %r2, 0
      call 199
      stdw [%r7+8], 1  # faults
      ${END}`,
  },
  {
    what: "a byte behind a record",
    text: `${reserve("%r6", 60)}stdw [%r6], 1\nstb [%r6+60], 1  # faults\n${END}`,
  },
  {
    what: "a record whose size is not known",
    text: `ldxdw %r8, [%r1]\nlddw %r1, 0  # map ring
      mov %r2, 64
      sub %r2, %r8
      mov %r3, 0
      call 131
      stdw [%r0], 1
      stdw [%r0+64], 1  # faults
      ${END}`,
  },
];

describe.each(ENGINES)("on $name, $mode, a fault ends the use of", (engine) => {
  it.each(RECORDS)("$what", async ({ text }) => {
    expect(await runNoted(engine, text, maps)).toEqual(wantedOutcome(text));
  });
});

/** Runs while a reader takes, at each helper call, what was given back. */
async function runWhileRead(engine: Engine, text: string): Promise<Outcome> {
  useEngine(engine);
  let read = (): void => {};
  const instance = await createInstance({ host: { preempt: () => read() } });
  const { exports } = instance;
  const used = maps(instance);
  const reader = exports.rt_ring_open(used["ring"]!.handle, 16);
  read = () => {
    exports.rt_ring_fill(reader, 16);
    exports.rt_ring_release(reader);
  };
  const program = loadProgram(instance, linkNoted(text), used);
  exports.rt_preemption_set(1);
  return outcomeOf(instance, program.handle);
}

/** The third record lies where the first did, and is shorter. */
const REPLACED = `
  ${reserve("%r6", 64)}
  stdw [%r6], 1
  ${release(133, "%r6")}
  ${reserve("%r7", RING_BYTES - 72 - 8)}
  ${release(133, "%r7")}
  ${reserve("%r8", 8)}
  jeq %r6, %r8, +1
  exit
  stdw [%r6], 1
  stdw [%r6+56], 1  # faults
  ${END}`;

it.each(ENGINES)(
  "a shorter record where one was says nothing of the bytes behind it, on $name, $mode",
  async (engine) => {
    expect(await runWhileRead(engine, REPLACED)).toEqual(wantedOutcome(REPLACED));
  },
);
