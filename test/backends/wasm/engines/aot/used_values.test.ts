/** Values and what lies around them: outside, nothing is touched without a check. */
import { afterAll, describe, expect, it } from "vitest";
import { MAP_FLAG, MAP_TYPE } from "#core/backend.ts";
import { aotEngine, createAotEngine } from "#wasm/engines/aot/aot.ts";
import { ubpfEngine } from "#wasm/engines/ubpf/ubpf.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import { createMap, useEngine } from "../../../../wasm/program_fixture.ts";
import { type Maps, runNoted, wantedOutcome } from "./safe_access_programs.ts";

const ENGINES = [aotEngine, createAotEngine("paranoid"), ubpfEngine];

afterAll(() => useEngine(aotEngine));

function maps(instance: RuntimeInstance): Maps {
  const hash = createMap(instance, { name: "hash", type: MAP_TYPE.hash, valueSize: 64 });
  hash.update(new Uint8Array(4), new Uint8Array(64));
  const percpu = { type: MAP_TYPE.percpu_array, valueSize: 12 } as const;
  const flags = MAP_FLAG.RDONLY_PROG;
  return {
    hash,
    percpu: createMap(instance, { name: "percpu", ...percpu }),
    constants: createMap(instance, { name: "constants", valueSize: 64, flags }),
  };
}

const lookUp = (key: number, map = "hash"): string => `
  stdw [%r10-8], ${key}
  mov %r2, %r10
  add %r2, -8
  lddw %r1, 0  # map ${map}
  call 1
`;
const END = "mov %r0, 0\nexit\n";

const VALUES = [
  {
    what: "the key that lies before a hash's value, which programs only read",
    text: `${lookUp(0)}ldxb %r1, [%r0-8]\nsth [%r0-6], 1  # faults\n${END}`,
  },
  {
    what: "NULL",
    text: `${lookUp(5)}\nldxdw %r1, [%r0]  # faults\n${END}`,
  },
  {
    what: "NULL and an offset",
    text: `${lookUp(5)}\nadd %r0, 56\nldxdw %r1, [%r0]  # faults\n${END}`,
  },
  {
    what: "a value that one of two paths used, and NULL on the other",
    text: `ldxdw %r8, [%r1]\n${lookUp(5)}mov %r7, %r0
      jeq %r8, 0, unused
      ldxdw %r1, [%r7]
    unused:
      ldxdw %r1, [%r7+8]  # faults
      ${END}`,
  },
  {
    what: "a value that only the path used which comes first to where they meet",
    text: `ldxdw %r8, [%r1]\n${lookUp(5)}mov %r7, %r0
      jeq %r8, 0, unused
      ldxdw %r1, [%r7]
      ja both
    unused:
      mov %r1, 0
    both:
      ldxdw %r1, [%r7+8]  # faults
      ${END}`,
  },
  {
    what: "what the second round finds, where the first found a value",
    text: `mov %r8, 0
    again:
      stxdw [%r10-8], %r8
      mov %r2, %r10
      add %r2, -8
      lddw %r1, 0  # map hash
      call 1
      ldxdw %r1, [%r0]  # faults
      add %r8, 1
      jlt %r8, 2, again
      ${END}`,
  },
  {
    what: "a value with an index that is masked too widely",
    text: `mov %r6, %r1\n${lookUp(0)}ldxdw %r1, [%r0]\nldxdw %r2, [%r6]\nxor %r2, -1\nand %r2, 63
      add %r0, %r2
      ldxb %r1, [%r0]
      ldxh %r1, [%r0]  # faults
      ${END}`,
  },
  {
    what: "a value with an index below zero",
    text: `mov %r6, %r1\n${lookUp(0)}ldxdw %r1, [%r0]\nldxb %r2, [%r6]\nsub %r2, 1
      add %r0, %r2
      ldxb %r1, [%r0]  # faults
      ${END}`,
  },
  {
    what: "a value with an index that was loaded with its sign",
    text: `stb [%r10-16], -1\n${lookUp(0)}ldxdw %r1, [%r0]\nldxsb %r2, [%r10-16]
      add %r0, %r2
      ldxb %r1, [%r0]  # faults
      ${END}`,
  },
  {
    what: "a value with an index that grows from round to round",
    text: `${lookUp(0)}ldxdw %r1, [%r0]\nmov %r8, 0
    again:
      ldxb %r1, [%r0]  # faults
      add %r0, 1
      add %r8, 1
      jlt %r8, 100, again
      ${END}`,
  },
  {
    what: "a value from which a step goes far out and back, but not all the way",
    text: `${lookUp(0)}ldxdw %r1, [%r0]\nadd %r0, 0x7fffffff\nadd %r0, -0x7fffff00
      ldxb %r1, [%r0]  # faults
      ${END}`,
  },
  {
    what: "a value beyond 4 GiB",
    text: `${lookUp(0)}ldxdw %r1, [%r0]\nlddw %r2, 0x100000000\nadd %r0, %r2
      ldxb %r1, [%r0]  # faults
      ${END}`,
  },
  {
    what: "a value, atomically, at an address that is not aligned",
    text: `${lookUp(0)}ldxdw %r1, [%r0]\nmov %r1, 1\nlock add [%r0+4], %r1  # faults\n${END}`,
  },
  {
    what: "a value, atomically, at an index that is perhaps not aligned",
    text: `${lookUp(0)}ldxdw %r1, [%r0]\nand %r1, 7\nadd %r1, 4\nadd %r0, %r1\nmov %r1, 1
      lock add [%r0], %r1  # faults
      ${END}`,
  },
  {
    what: "a value that programs only read, found by its key",
    text: `${lookUp(0, "constants")}ldxdw %r1, [%r0]\nstdw [%r0], 1  # faults\n${END}`,
  },
  {
    what: "a value that programs only read, named",
    text: `lddw %r7, 0  # value constants+8
      ldxdw %r1, [%r7]
      stdw [%r7], 1  # faults
      ${END}`,
  },
  {
    what: "a byte before a value that is named",
    text: `lddw %r7, 0  # value constants+8
      ldxdw %r1, [%r7-8]
      ldxb %r1, [%r7-9]  # faults
      ${END}`,
  },
  {
    what: "one CPU's value, on the way to the next CPU's",
    text: `${lookUp(0, "percpu")}ldxdw %r1, [%r0]\nstw [%r0+8], 1\nldxb %r1, [%r0+12]  # faults\n${END}`,
  },
  {
    what: "another CPU's value",
    text: `stdw [%r10-8], 0\nmov %r2, %r10\nadd %r2, -8\nlddw %r1, 0  # map percpu
      mov %r3, 1
      call 195
      ldxdw %r1, [%r0]
      stw [%r0+8], 1
      stw [%r0+9], 1  # faults
      ${END}`,
  },
];

describe.each(ENGINES)("on $name, $mode, a fault ends the use of", (engine) => {
  it.each(VALUES)("$what", async ({ text }) => {
    expect(await runNoted(engine, text, maps)).toEqual(wantedOutcome(text));
  });
});
