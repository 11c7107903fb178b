/** Accesses outside of every kind of object: none gets through, and each names its instruction. */
import { beforeAll, describe, expect, it } from "vitest";
import { MAP_TYPE } from "#core/backend.ts";
import { type FaultObject, ProgramFault } from "#core/errors.ts";
import { createAotEngine } from "#wasm/engines/aot/aot.ts";
import { ENGINES } from "#wasm/engines/engines.ts";
import type { Reference } from "#wasm/loader/linked_program.ts";
import {
  createInstance,
  createMap,
  link,
  loadProgram,
  useEngine,
} from "../../../../wasm/program_fixture.ts";

const CONTEXT_BYTES = 16;
const VALUE_BYTES = 12;
const RECORD_BYTES = 24;

interface Scenario {
  readonly object: string;
  readonly bytes: number;
  /** How the fault names it; offsets count from `origin`, 0 unless given. */
  readonly named: { readonly kind: FaultObject["kind"]; readonly map?: string };
  readonly origin?: number;
  /** Leaves the object's address in r7; the context's first word, 0, is in r8. */
  readonly prepare: string;
  /** Gives the object back, before the program ends. */
  readonly finish?: string;
  readonly map?: { readonly slot: number; readonly type: number };
}

const KEY = "stw [%r10-4], 0\nmov %r2, %r10\nadd %r2, -4\n";
const START = "mov %r6, %r1\nldxdw %r8, [%r1]\n";

const SCENARIOS: readonly Scenario[] = [
  // Through r8, so that it is not refused at load.
  {
    object: "the frame",
    bytes: 512,
    named: { kind: "frame" },
    origin: 512,
    prepare: `stdw [%r10-512], 0
stdw [%r10-8], 0
mov %r7, %r10
sub %r7, 512
add %r7, %r8
`,
  },
  {
    object: "the context",
    bytes: CONTEXT_BYTES,
    named: { kind: "context" },
    prepare: "mov %r7, %r6\n",
  },
  {
    object: "an array's value",
    bytes: VALUE_BYTES,
    named: { kind: "value", map: "map" },
    prepare: `${KEY}lddw %r1, 0\ncall 1\njne %r0, 0, +1\nexit\nmov %r7, %r0\n`,
    map: { slot: 5, type: MAP_TYPE.array },
  },
  {
    object: "a hash's value",
    bytes: VALUE_BYTES,
    named: { kind: "value", map: "map" },
    prepare: `${KEY}lddw %r1, 0\ncall 1\njne %r0, 0, +1\nexit\nmov %r7, %r0\n`,
    map: { slot: 5, type: MAP_TYPE.hash },
  },
  {
    object: "a reserved record",
    bytes: RECORD_BYTES,
    named: { kind: "record", map: "map" },
    prepare: `mov %r2, ${RECORD_BYTES}\nmov %r3, 0\nlddw %r1, 0\ncall 131\njne %r0, 0, +1\nexit\nmov %r7, %r0\n`,
    finish: "mov %r1, %r7\nmov %r2, 0\ncall 133\n",
    map: { slot: 4, type: MAP_TYPE.ringbuf },
  },
];

const PLACES = [
  { place: "just before", at: () => -1 },
  { place: "just after", at: (bytes: number) => bytes },
  { place: "across the end of", at: (bytes: number) => bytes - 1, wide: true },
];
const ACCESSES = [
  { access: "load", narrow: "ldxb %r0, [%r7%]", wide: "ldxh %r0, [%r7%]" },
  { access: "store", narrow: "stb [%r7%], 1", wide: "sth [%r7%], 1" },
];

async function run(scenario: Scenario, instruction: string): Promise<unknown> {
  const instance = await createInstance();
  const text = `${START}${scenario.prepare}${instruction}\n${scenario.finish ?? ""}mov %r0, 0\nexit`;
  const { map } = scenario;
  if (map === undefined) {
    const program = loadProgram(instance, link(text));
    return instance.run(program.handle, instance.createContext(CONTEXT_BYTES, true));
  }
  const ring = map.type === MAP_TYPE.ringbuf;
  const created = createMap(instance, {
    type: map.type as never,
    keySize: ring ? 0 : 4,
    valueSize: ring ? 0 : VALUE_BYTES,
    maxEntries: ring ? 4096 : 1,
  });
  if (!ring) created.update(new Uint8Array(4), new Uint8Array(VALUE_BYTES));
  const reference: Reference = { kind: "map", slot: map.slot, map: "map" };
  const program = loadProgram(instance, link(text, [reference]), { map: created });
  return instance.run(program.handle, instance.createContext(CONTEXT_BYTES, true));
}

/** The slot where the access stands: an LDDW before it takes two. */
function slotOf(scenario: Scenario): number {
  const lines = `${START}${scenario.prepare}`.trimEnd().split("\n");
  return lines.length + lines.filter((line) => line.startsWith("lddw")).length;
}

const signed = (offset: number): string => (offset < 0 ? `${offset}` : `+${offset}`);

const PARANOID = createAotEngine("paranoid");

describe.each([...ENGINES, PARANOID])("on $name, $mode,", (engine) => {
  beforeAll(() => useEngine(engine));

  describe.each(SCENARIOS)("$object", (scenario) => {
    it.each(ACCESSES)("takes a $access of its first and its last byte", async ({ narrow }) => {
      for (const offset of [0, scenario.bytes - 1]) {
        expect(await run(scenario, narrow.replace("%]", `${signed(offset)}]`))).toBe(0);
      }
    });

    describe.each(PLACES)("a byte $place it", ({ at, wide }) => {
      it.each(ACCESSES)("is a fault for a $access, which names its instruction", async (access) => {
        const form = wide === true ? access.wide : access.narrow;
        const error = await run(
          scenario,
          form.replace("%]", `${signed(at(scenario.bytes))}]`),
        ).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(ProgramFault);
        const { location, message, object } = error as ProgramFault;
        const { bytes, named, origin = 0 } = scenario;
        expect(object).toEqual({ ...named, offset: at(bytes) - origin, size: bytes, gone: false });
        expect(location?.instruction).toBe(slotOf(scenario));
        const size = wide === true ? "2 bytes" : "1 byte";
        expect(message).toContain(`${access.access} of ${size}`);
      });
    });
  });

  describe("NULL", () => {
    const scenario: Scenario = {
      object: "NULL",
      bytes: 0,
      named: { kind: "null" },
      prepare: "mov %r7, %r8\n",
    };
    it.each(ACCESSES.flatMap((access) => [0, 1, 4095].map((offset) => ({ ...access, offset }))))(
      "faults for a $access at offset $offset",
      async ({ access, narrow, offset }) => {
        const error = await run(scenario, narrow.replace("%]", `${signed(offset)}]`)).catch(
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(ProgramFault);
        expect((error as ProgramFault).location?.instruction).toBe(slotOf(scenario));
        const { message, object } = error as ProgramFault;
        expect(object).toEqual({ kind: "null", offset, size: 0, gone: false });
        expect(message).toContain(
          `${access} of 1 byte at 0x${offset.toString(16)} (NULL+${offset}), which the program`,
        );
      },
    );
  });
});
