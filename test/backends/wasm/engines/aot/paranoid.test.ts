/** What paranoid mode finds beyond checked mode: use after free, and stack that was never written. */
import { beforeAll, describe, expect, it } from "vitest";
import { MAP_FLAG, MAP_TYPE, type MapSpec } from "#core/backend.ts";
import { ProgramFault } from "#core/errors.ts";
import { aotEngine, createAotEngine } from "#wasm/engines/aot/aot.ts";
import { ubpfEngine } from "#wasm/engines/ubpf/ubpf.ts";
import type { Reference } from "#wasm/loader/linked_program.ts";
import {
  createInstance,
  createMap,
  link,
  loadProgram,
  programArray,
  runText,
  useEngine,
} from "../../../../wasm/program_fixture.ts";

beforeAll(() => useEngine(createAotEngine("paranoid")));

async function faultOf(run: () => Promise<unknown>): Promise<ProgramFault> {
  const error = await run().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ProgramFault) return error;
  throw error ?? new Error("the program ran to its end");
}

/** Slot of the first line that starts with `mnemonic`. */
function slotOf(text: string, mnemonic: string): number {
  let slot = 0;
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (line.startsWith(mnemonic)) return slot;
    if (line !== "" && !line.endsWith(":")) slot += line.startsWith("lddw") ? 2 : 1;
  }
  throw new Error(`no line ${mnemonic}`);
}

/** A reference for every LDDW of the text. */
function mapReferences(text: string): Reference[] {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.endsWith(":"));
  const references: Reference[] = [];
  let slot = 0;
  for (const line of lines) {
    if (line.startsWith("lddw")) references.push({ kind: "map", slot, map: "map" });
    slot += line.startsWith("lddw") ? 2 : 1;
  }
  return references;
}

async function runOnMap(
  spec: Partial<MapSpec>,
  text: string,
  filled = true,
): Promise<number | undefined> {
  const instance = await createInstance();
  const map = createMap(instance, spec);
  if (filled) map.update(new Uint8Array(map.spec.keySize), new Uint8Array(map.valueBytes));
  const program = loadProgram(instance, link(text, mapReferences(text)), { map });
  return instance.run(program.handle, 0);
}

const KEY = "stdw [%r10-8], 0\nmov %r2, %r10\nadd %r2, -8\nlddw %r1, 0\n";
const LOOK_UP = `${KEY}call 1\njne %r0, 0, +1\nexit\nmov %r7, %r0\n`;
const DELETE = `${KEY}call 3\n`;
const REPLACE = `stdw [%r10-16], 7\n${KEY}mov %r3, %r10\nadd %r3, -16\nmov %r4, 0\ncall 2\n`;
/** Another key, which would get the freed element. */
const INSERT =
  "stdw [%r10-8], 9\nstdw [%r10-16], 7\nmov %r2, %r10\nadd %r2, -8\nlddw %r1, 0\nmov %r3, %r10\nadd %r3, -16\nmov %r4, 0\ncall 2\n";
const END = "mov %r0, 0\nexit";

const HASH = { keySize: 8, valueSize: 8, maxEntries: 2 };
const MAPS = [
  { map: "hash", ...HASH, type: MAP_TYPE.hash, flags: 0 },
  { map: "hash without preallocation", ...HASH, type: MAP_TYPE.hash, flags: MAP_FLAG.NO_PREALLOC },
  { map: "percpu_hash", ...HASH, type: MAP_TYPE.percpu_hash, flags: 0 },
  { map: "lru_hash", ...HASH, type: MAP_TYPE.lru_hash, flags: 0 },
  { map: "lru_percpu_hash", ...HASH, type: MAP_TYPE.lru_percpu_hash, flags: 0 },
  { map: "lpm_trie", ...HASH, type: MAP_TYPE.lpm_trie, flags: MAP_FLAG.NO_PREALLOC },
] as const;
const ACCESSES = [
  { access: "load", instruction: "ldxw %r0, [%r7+4]" },
  { access: "store", instruction: "stw [%r7+4], 1" },
] as const;

describe("an element of a map", () => {
  describe.each(MAPS)("of type $map", (spec) => {
    it.each(ACCESSES)("that was deleted faults at a $access", async ({ access, instruction }) => {
      const text = `${LOOK_UP}${DELETE}${instruction}\n${END}`;
      const fault = await faultOf(() => runOnMap(spec, text));
      expect(fault.location?.instruction).toBe(slotOf(text, instruction));
      expect(fault.object).toEqual({ kind: "value", map: "map", offset: 4, size: 8, gone: true });
      expect(fault.message).toContain(`${access} of 4 bytes at 0x`);
      expect(fault.message).toContain("(offset 4 of a deleted 8-byte value of map map), which");
    });

    it.each(ACCESSES)(
      "takes a $access before it is deleted, and when it is looked up again",
      async ({ instruction }) => {
        await runOnMap(
          spec,
          `${LOOK_UP}${instruction}\n${DELETE}${REPLACE}${LOOK_UP}${instruction}\n${END}`,
        );
      },
    );
  });

  const replaced = MAPS.filter(({ map }) => !map.includes("percpu"));
  describe.each(replaced)("of type $map", (spec) => {
    it.each(ACCESSES)("that was replaced faults at a $access", async ({ instruction }) => {
      const text = `${LOOK_UP}${REPLACE}${instruction}\n${END}`;
      const fault = await faultOf(() => runOnMap(spec, text));
      expect(fault.location?.instruction).toBe(slotOf(text, instruction));
    });
  });

  const unshared = MAPS.filter(({ map }) => map.includes("hash") && !map.includes("lru"));
  it.each(unshared)(
    "of type $map that was deleted is no other key's before the run ends",
    async (spec) => {
      const text = `${LOOK_UP}${DELETE}${INSERT}ldxw %r0, [%r7+0]\n${END}`;
      const fault = await faultOf(() => runOnMap(spec, text));
      expect(fault.location?.instruction).toBe(slotOf(text, "ldxw"));
    },
  );

  it("that was deleted is memory for others when the run has ended", async () => {
    const instance = await createInstance();
    const map = createMap(instance, MAPS[0]);
    const text = `${REPLACE}${DELETE}${INSERT}${DELETE.replace("[%r10-8], 0", "[%r10-8], 9")}${END}`;
    const program = loadProgram(instance, link(text, mapReferences(text)), { map });
    instance.run(program.handle, 0);
    instance.run(program.handle, 0);
    const used = instance.exports.rt_memory_used();
    for (let run = 0; run < 200; run++) expect(instance.run(program.handle, 0)).toBe(0);
    expect(instance.exports.rt_memory_used()).toBe(used);
  });

  it("stays readable to a program that waits while another one deletes it, as RCU has it", async () => {
    let meanwhile = (): void => {};
    const instance = await createInstance({ host: { preempt: () => meanwhile() } });
    const map = createMap(instance, MAPS[0]);
    map.update(new Uint8Array(8), new Uint8Array(8).fill(5));
    const reading = `${LOOK_UP}call 8\nldxw %r0, [%r7+4]\nexit`;
    const deleting = `${DELETE}${END}`;
    const reader = loadProgram(instance, link(reading, mapReferences(reading)), { map });
    const deleter = loadProgram(instance, link(deleting, mapReferences(deleting)), { map });
    let helperCalls = 0;
    meanwhile = () => {
      helperCalls++;
      if (helperCalls === 2) instance.run(deleter.handle, 0, 1);
    };
    instance.exports.rt_preemption_set(1);
    expect(instance.run(reader.handle, 0, 0)).toBe(0x05050505);
    expect(map.lookup(new Uint8Array(8), new Uint8Array(8))).toBe(false);
  });
});

describe("a record of a ring", () => {
  const RING = { type: MAP_TYPE.ringbuf, keySize: 0, valueSize: 0, maxEntries: 4096 };
  const RESERVE =
    "lddw %r1, 0\nmov %r2, 24\nmov %r3, 0\ncall 131\njne %r0, 0, +1\nexit\nmov %r7, %r0\n";
  const RESERVE_DYNPTR =
    "lddw %r1, 0\nmov %r2, 24\nmov %r3, 0\nmov %r4, %r10\nadd %r4, -16\ncall 198\n";
  const DATA =
    "mov %r1, %r10\nadd %r1, -16\nmov %r2, 0\nmov %r3, 24\ncall 203\njne %r0, 0, +1\nexit\nmov %r7, %r0\n";
  const GIVEN_BACK = [
    { how: "submitted", text: `${RESERVE}mov %r1, %r7\nmov %r2, 0\ncall 132\n` },
    { how: "discarded", text: `${RESERVE}mov %r1, %r7\nmov %r2, 0\ncall 133\n` },
    {
      how: "submitted as dynptr",
      text: `${RESERVE_DYNPTR}${DATA}mov %r1, %r10\nadd %r1, -16\nmov %r2, 0\ncall 199\n`,
    },
    {
      how: "discarded as dynptr",
      text: `${RESERVE_DYNPTR}${DATA}mov %r1, %r10\nadd %r1, -16\nmov %r2, 0\ncall 200\n`,
    },
  ];

  describe.each(GIVEN_BACK)("that was $how", ({ text: before }) => {
    it.each(ACCESSES)("faults at a $access", async ({ instruction }) => {
      const text = `${before}${instruction}\n${END}`;
      const fault = await faultOf(() => runOnMap(RING, text, false));
      expect(fault.location?.instruction).toBe(slotOf(text, instruction));
      expect(fault.object).toEqual({ kind: "record", map: "map", offset: 4, size: 24, gone: true });
    });
  });

  it.each([
    ["a record", RESERVE],
    ["a dynptr", RESERVE_DYNPTR],
  ])("reserved as %s and never given back faults at the exit", async (_name, reserve) => {
    const text = `${reserve}${END}`;
    const fault = await faultOf(() => runOnMap(RING, text, false));
    expect(fault.location?.instruction).toBe(slotOf(text, END.split("\n")[0]!) + 1);
    expect(fault.message).toContain("reserved record");
  });

  it("faults when it is given back twice", async () => {
    const text = `${GIVEN_BACK[0]!.text}mov %r1, %r7\nmov %r2, 0\ncall 133\n${END}`;
    const fault = await faultOf(() => runOnMap(RING, text, false));
    expect(fault.location?.instruction).toBe(slotOf(text, "call 133"));
  });
});

describe("the stack", () => {
  const run = async (text: string): Promise<bigint> =>
    runText(await createInstance(), text, new Uint8Array(16));

  it.each([
    ["a load of what was never written", "mov %r0, 0\nldxdw %r0, [%r10-8]\nexit", "ldxdw"],
    [
      "a load of which one byte was not",
      "stw [%r10-8], 1\nsth [%r10-4], 1\nstb [%r10-2], 1\nldxdw %r0, [%r10-8]\nexit",
      "ldxdw",
    ],
    ["a load across granules", "stdw [%r10-16], 1\nldxw %r0, [%r10-10]\nexit", "ldxw"],
    ["an atomic", "mov %r0, 1\nlock add [%r10-8], %r0\nexit", "lock"],
    ["a load through another register", "mov %r1, %r10\nldxb %r0, [%r1-3]\nexit", "ldxb"],
    [
      "what another call of the same function wrote",
      "mov %r6, 0\ncall local f\nmov %r6, 1\nmov %r1, 1\ncall local f\nexit\nf:\njeq %r1, 1, read\nstdw [%r10-8], 1\nmov %r0, 0\nexit\nread:\nldxdw %r0, [%r10-8]\nexit",
      "ldxdw",
    ],
    [
      "a helper that reads",
      "mov %r1, %r10\nadd %r1, -8\nmov %r2, 8\nstw [%r10-8], 0\ncall 6\nmov %r0, 0\nexit",
      "call 6",
    ],
  ])("%s names its instruction", async (_name, text, mnemonic) => {
    const fault = await faultOf(() => run(text));
    expect(fault.location?.instruction).toBe(slotOf(text, mnemonic));
    expect(fault.object?.kind).toBe("frame");
    expect(fault.message).toMatch(/read of \d bytes? at 0x\w+ \(r10-\d+\), .* never wrote; init/);
  });

  it.each([
    [
      "by pieces",
      "stw [%r10-8], 1\nsth [%r10-4], 0\nstb [%r10-2], 0\nstb [%r10-1], 0\nldxdw %r0, [%r10-8]\nexit",
    ],
    ["in part, and read in that part", "stb [%r10-3], 1\nldxb %r0, [%r10-3]\nexit"],
    ["across granules", "stdw [%r10-16], 0\nstw [%r10-10], 1\nldxw %r0, [%r10-10]\nexit"],
    [
      "by the function that it called",
      "mov %r1, %r10\nadd %r1, -8\ncall local f\nldxdw %r0, [%r10-8]\nexit\nf:\nstdw [%r1+0], 1\nmov %r0, 0\nexit",
    ],
    [
      "by a helper",
      "mov %r6, %r1\nstdw [%r6+0], 1\nmov %r1, %r10\nadd %r1, -8\nmov %r2, 8\nmov %r3, %r6\ncall 113\nldxdw %r0, [%r10-8]\nexit",
    ],
    [
      "in an atomic",
      "mov %r0, 0\nmov %r1, 1\nstdw [%r10-8], 0\nlock fetch add [%r10-8], %r1\nldxdw %r0, [%r10-8]\nexit",
    ],
  ])("is readable when it was written %s", async (_name, text) => {
    expect(await run(text)).toBe(1n);
  });

  it("starts unwritten in every run, and after a tail call", async () => {
    const instance = await createInstance();
    const writing = loadProgram(instance, link("stdw [%r10-8], 1\nmov %r0, 0\nexit"));
    const reading = loadProgram(instance, link("ldxdw %r0, [%r10-8]\nexit"));
    instance.run(writing.handle, 0);
    expect(() => instance.run(reading.handle, 0)).toThrow(/never wrote/);
    const array = programArray(instance, [reading]);
    const text = "stdw [%r10-8], 1\nlddw %r2, 0\nmov %r3, 0\ncall 12\nmov %r0, 0\nexit";
    const calling = loadProgram(instance, link(text, [{ kind: "map", slot: 1, map: "array" }]), {
      array,
    });
    expect(() => instance.run(calling.handle, 0)).toThrow(/instruction 0 .*never wrote/);
  });
});

describe("a spin lock", () => {
  const VALUE = `${KEY}call 1\njne %r0, 0, +1\nexit\nmov %r7, %r0\n`;
  const LOCK = "mov %r1, %r7\ncall 93\n";
  const UNLOCK = "mov %r1, %r7\ncall 94\n";
  const run = async (text: string): Promise<void> => {
    const instance = await createInstance();
    const map = createMap(instance, { keySize: 8, type: MAP_TYPE.hash });
    map.update(new Uint8Array(8), new Uint8Array(8));
    const program = loadProgram(instance, link(text, mapReferences(text)), { map });
    instance.run(program.handle, 0);
  };

  it.each([
    ["taken twice", `${VALUE}${LOCK}${LOCK}${UNLOCK}${END}`, 12],
    ["given back without being held", `${VALUE}${UNLOCK}${END}`, 10],
    ["held at the exit", `${VALUE}${LOCK}${END}`, 12],
    ["held at a helper's call", `${VALUE}${LOCK}call 7\n${UNLOCK}${END}`, 11],
  ])("%s faults where it is", async (_name, text, slot) => {
    const fault = await faultOf(() => run(text));
    expect(fault.location?.instruction).toBe(slot);
    expect(fault.message).toMatch(/spin lock/);
  });

  it("taken and given back does not", () => run(`${VALUE}${LOCK}${UNLOCK}${END}`));
});

describe("a program of another mode", () => {
  it.each([aotEngine, ubpfEngine])("of $name is refused by a paranoid machine", async (engine) => {
    const instance = await createInstance();
    const load = () => engine.load(instance, link("mov %r0, 0\nexit"), () => 0);
    expect(load).toThrow(/compiled for mode checked, the machine is paranoid \(EINVAL\)/);
  });

  it("is refused by a machine that is not", async () => {
    const instance = await createInstance({ paranoid: false });
    expect(() => loadProgram(instance, link("mov %r0, 0\nexit"))).toThrow(/not paranoid/);
  });
});
