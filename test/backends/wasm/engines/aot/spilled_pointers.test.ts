/** A pointer that lies in the frame is what it was only if nobody wrote there. */
import { afterAll, describe, expect, it } from "vitest";
import { MAP_TYPE } from "#core/backend.ts";
import { aotEngine, createAotEngine } from "#wasm/engines/aot/aot.ts";
import type { Engine } from "#wasm/engines/engine.ts";
import { ubpfEngine } from "#wasm/engines/ubpf/ubpf.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import {
  createInstance,
  createMap,
  link,
  loadProgram,
  programArray,
  useEngine,
} from "../../../../wasm/program_fixture.ts";
import {
  linkNoted,
  lookUp,
  type Maps,
  type Outcome,
  outcomeOf,
  wantedOutcome,
} from "./safe_access_programs.ts";

const ENGINES = [aotEngine, createAotEngine("paranoid"), ubpfEngine];

afterAll(() => useEngine(aotEngine));

function maps(instance: RuntimeInstance): Maps {
  const hash = createMap(instance, { name: "hash", type: MAP_TYPE.hash, valueSize: 64 });
  hash.update(new Uint8Array(4), new Uint8Array(64));
  const queue = createMap(instance, { name: "queue", type: MAP_TYPE.queue, keySize: 0 });
  queue.update(new Uint8Array(), new Uint8Array(8));
  return { hash, queue };
}

/** A used value's pointer, spilled to r10-16 and to r10-512. r6 and r8 are free. */
const SPILL = `
  ${lookUp("hash")}
  jne %r0, 0, found
  exit
found:
  ldxdw %r1, [%r0]
  stxdw [%r10-16], %r0
  stxdw [%r10-512], %r0
  mov %r6, %r0
`;
const reload = (offset: number): string => `
  ldxdw %r7, [%r10${offset}]
  ldxdw %r0, [%r7+8]  # faults
  mov %r0, 0
  exit
`;
/** Fails, as there is nothing at NULL, and clears where r1 points. */
const readKernel = (size: number): string => `mov %r2, ${size}\nmov %r3, 0\ncall 113\n`;
const pointTo = (register: string, offset: number): string =>
  `mov ${register}, %r10\nadd ${register}, ${offset}\n`;

interface Overwriting {
  readonly what: string;
  readonly overwrite: string;
  /** Where the pointer lies that is reloaded; -16 unless given. */
  readonly at?: number;
  readonly functions?: string;
}

const STORES: readonly Overwriting[] = [
  { what: "a byte", overwrite: "stb [%r10-13], 0x7f" },
  { what: "a half word", overwrite: "sth [%r10-14], 0x7fff" },
  { what: "its lower half", overwrite: "stw [%r10-16], 8" },
  { what: "its upper half", overwrite: "stw [%r10-12], 1" },
  { what: "a word that begins before it", overwrite: "lddw %r1, -1\nstxdw [%r10-19], %r1" },
  { what: "a word that begins in it", overwrite: "lddw %r1, -1\nstxdw [%r10-14], %r1" },
  { what: "another value", overwrite: "mov %r1, 8\nstxdw [%r10-16], %r1" },
  { what: "an atomic addition", overwrite: "mov %r1, 4096\nlock add [%r10-16], %r1" },
  { what: "a narrow atomic", overwrite: "mov %r1, 1\nlock or32 [%r10-12], %r1" },
  { what: "an exchange", overwrite: "mov %r1, 8\nlock xchg [%r10-16], %r1" },
  {
    what: "a comparison and exchange",
    overwrite: "mov %r1, 8\nmov %r0, %r6\nlock cmpxchg [%r10-16], %r1",
  },
  { what: "a releasing store", overwrite: "mov %r1, 8\nstore_release64 [%r10-16], %r1" },
  { what: "a second frame pointer", overwrite: `${pointTo("%r3", -8)}stdw [%r3-8], 8` },
  {
    what: "a frame pointer with an index",
    overwrite: "ldxdw %r2, [%r6]\nmov %r3, %r10\nsub %r3, %r2\nstdw [%r3-16], 8",
  },
  { what: "the frame's address as a number", overwrite: "lddw %r3, FRAME\nstdw [%r3-16], 8" },
];

const HELPERS: readonly Overwriting[] = [
  { what: "a read of eight bytes", overwrite: pointTo("%r1", -16) + readKernel(8) },
  { what: "a read that begins before it", overwrite: pointTo("%r1", -20) + readKernel(8) },
  {
    what: "a read of a size that is not known",
    overwrite: `${pointTo("%r1", -16)}
    ldxdw %r2, [%r6]\nadd %r2, 8\nmov %r3, 0\ncall 113`,
  },
  { what: "a read through a number", overwrite: `lddw %r1, FRAME\nsub %r1, 16\n${readKernel(8)}` },
  { what: "the name of the task", overwrite: `${pointTo("%r1", -24)}mov %r2, 16\ncall 16` },
  {
    what: "an element of a queue",
    overwrite: `${pointTo("%r2", -16)}lddw %r1, 0  # map queue\ncall 88`,
  },
  {
    what: "a number that was text",
    overwrite: `stdw [%r10-24], 0x37
      ${pointTo("%r1", -24)}mov %r2, 8\nmov %r3, 0\n${pointTo("%r4", -16)}call 105`,
  },
  {
    what: "a helper that is called by its number",
    overwrite: `${pointTo("%r1", -16)}mov %r2, 8\nmov %r3, 0\nmov %r8, 113\ncall %r8`,
  },
];

const FUNCTIONS: readonly Overwriting[] = [
  {
    what: "a subprogram, through its argument",
    overwrite: `${pointTo("%r1", -16)}call local writes`,
    functions: "writes:\nstdw [%r1], 8\nmov %r0, 0\nexit\n",
  },
  {
    what: "a subprogram of a subprogram",
    overwrite: `${pointTo("%r1", -16)}call local calls`,
    functions: "calls:\ncall local writes\nexit\nwrites:\nstdw [%r1], 8\nmov %r0, 0\nexit\n",
  },
  {
    what: "a subprogram that calls itself",
    overwrite: `${pointTo("%r1", -16)}mov %r2, 3\ncall local writes`,
    functions:
      "writes:\njeq %r2, 0, now\nsub %r2, 1\ncall local writes\nexit\nnow:\nstdw [%r1], 8\nmov %r0, 0\nexit\n",
  },
  {
    what: "a subprogram's helper, beyond the subprogram's frame",
    at: -512,
    overwrite: "call local reads",
    functions: `reads:\n${pointTo("%r1", -8)}${readKernel(16)}exit\n`,
  },
  {
    what: "a subprogram's helper, above the subprogram's frame",
    at: -16,
    overwrite: "call local reads",
    functions: `reads:\n${pointTo("%r1", 496)}${readKernel(8)}exit\n`,
  },
  {
    what: "the callback of bpf_loop",
    overwrite: `mov %r1, 1\nlddw %r2, 0  # function writes\n${pointTo("%r3", -16)}mov %r4, 0\ncall 181`,
    functions: "writes:\nstdw [%r2], 8\nmov %r0, 0\nexit\n",
  },
  {
    what: "the callback of bpf_for_each_map_elem",
    overwrite: `lddw %r1, 0  # map hash\nlddw %r2, 0  # function writes\n${pointTo("%r3", -16)}
      mov %r4, 0\ncall 164`,
    functions: "writes:\nstdw [%r4], 8\nmov %r0, 0\nexit\n",
  },
  {
    what: "a program that a subprogram tail-calls",
    overwrite: "mov %r1, 0\ncall local leaves",
    functions: "leaves:\nlddw %r2, 0  # map programs\nmov %r3, 0\ncall 12\nmov %r0, 0\nexit\n",
  },
];

/** Runs the text on a machine that has run before: the frame lies where `FRAME` says. */
async function run(engine: Engine, text: string): Promise<{ outcome: Outcome; wanted: Outcome }> {
  useEngine(engine);
  const instance = await createInstance();
  const context = instance.createContext(8, true);
  instance.run(loadProgram(instance, link("mov %r0, %r10\nexit")).handle, context);
  const frame = instance.result64;
  const placed = text.replaceAll("FRAME", `${frame}`);
  const target = loadProgram(
    instance,
    link(`lddw %r1, ${frame}\nstdw [%r1-16], 8\nmov %r0, 0\nexit`),
  );
  const programs = programArray(instance, [target]);
  const program = loadProgram(instance, linkNoted(placed), { ...maps(instance), programs });
  return { outcome: outcomeOf(instance, program.handle, context), wanted: wantedOutcome(placed) };
}

describe.each(ENGINES)("on $name, $mode, a spilled pointer is lost to", (engine) => {
  it.each([...STORES, ...HELPERS, ...FUNCTIONS])(
    "$what",
    async ({ overwrite, at = -16, functions = "" }) => {
      const { outcome, wanted } = await run(
        engine,
        `${SPILL}${overwrite}\n${reload(at)}${functions}`,
      );
      expect(outcome).toEqual(wanted);
    },
  );
});

describe.each(ENGINES)("on $name, $mode, a spilled pointer is kept by", (engine) => {
  it.each([
    { what: "nothing between", between: "" },
    { what: "stores beside it", between: "stdw [%r10-24], 1\nstdw [%r10-8], 1" },
    { what: "a read beside it", between: pointTo("%r1", -24) + readKernel(8) },
  ])("$what", async ({ between }) => {
    const text = `${SPILL}${between}\n${reload(-16)}`.replace("# faults", "");
    expect((await run(engine, text)).outcome).toBe(0n);
  });
});
