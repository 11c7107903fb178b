/** What others do while a program waits at a helper call: programs on another CPU, and user space. */
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
  link,
  loadProgram,
  useEngine,
} from "../../../../wasm/program_fixture.ts";
import { linkNoted, lookUp, type Maps, type Outcome, outcomeOf } from "./safe_access_programs.ts";

const PARANOID = createAotEngine("paranoid");
const ENGINES = [aotEngine, PARANOID, ubpfEngine];
const KEY = new Uint8Array(4);

afterAll(() => useEngine(aotEngine));

const handleBytes = (map: WasmMap): Uint8Array => new Uint8Array(Uint32Array.of(map.handle).buffer);

interface Meeting {
  readonly engine: Engine;
  readonly text: string;
  readonly prepare: (instance: RuntimeInstance) => Maps;
  /** Happens once, before a call of a helper. */
  readonly meanwhile: (instance: RuntimeInstance, maps: Maps) => void;
  /** Calls of helpers before that one. */
  readonly after: number;
}

async function meet({ engine, text, prepare, meanwhile, after }: Meeting): Promise<Outcome> {
  useEngine(engine);
  let calls = 0;
  let act = (): void => {};
  const preempt = (): void => {
    if (calls++ === after) act();
  };
  const instance = await createInstance({ host: { preempt } });
  const maps = prepare(instance);
  const { handle } = loadProgram(instance, linkNoted(text), maps);
  act = () => meanwhile(instance, maps);
  instance.exports.rt_preemption_set(1);
  return outcomeOf(instance, handle);
}

const LOOK_UP = `
  ${lookUp("hash")}
  ldxdw %r1, [%r0]
`;

function withHash(instance: RuntimeInstance): Maps {
  const hash = createMap(instance, { name: "hash", type: MAP_TYPE.hash, valueSize: 64 });
  hash.update(KEY, new Uint8Array(64));
  return { hash, told: createMap(instance, { name: "told" }) };
}

/** A program on the other CPU, which writes a word at the address that it was told. */
function intrude(instance: RuntimeInstance, { told }: Maps, word: bigint): Outcome {
  const text = `lddw %r1, 0  # value told
    ldxdw %r1, [%r1]
    lddw %r2, ${word}
    stxdw [%r1], %r2
    mov %r0, 0
    exit`;
  const intruder = loadProgram(instance, linkNoted(text), { told: told! });
  try {
    instance.run(intruder.handle, 0, 1);
    return instance.result64;
  } catch {
    return { faultAt: 3 };
  }
}

describe("a frame of a run that waits", () => {
  const TELL = `
    ${LOOK_UP}
    stxdw [%r10-16], %r0
    lddw %r1, 0  # value told
    mov %r2, %r10
    sub %r2, 16
    stxdw [%r1], %r2
    call 8
    ldxdw %r7, [%r10-16]
    ldxdw %r0, [%r7+8]
    exit`;

  it.each([aotEngine, ubpfEngine])("is nobody else's, on $name", async (engine) => {
    let intruded: Outcome | undefined;
    const meanwhile = (instance: RuntimeInstance, maps: Maps): void => {
      intruded = intrude(instance, maps, 8n);
    };
    const outcome = await meet({ engine, text: TELL, prepare: withHash, meanwhile, after: 1 });
    expect(intruded).toEqual({ faultAt: 3 });
    expect(outcome).toBe(0n);
  });

  it.each([aotEngine, ubpfEngine])("is its own again after a fault, on $name", async (engine) => {
    useEngine(engine);
    const stop = new Error("the scheduler stops");
    let waits = true;
    const preempt = (): void => {
      if (waits) throw stop;
    };
    const instance = await createInstance({ host: { preempt } });
    const text = "stdw [%r10-8], 1\ncall 8\nmov %r1, %r10\nldxdw %r2, [%r1-8]\nmov %r0, %r2\nexit";
    const program = loadProgram(instance, link(text));
    instance.exports.rt_preemption_set(1);
    expect(() => instance.run(program.handle, 0)).toThrow(stop);
    waits = false;
    expect(outcomeOf(instance, program.handle)).toBe(1n);
  });

  /** Whose pointer another program replaced by one to the last word of the value. */
  it("is no source of objects in paranoid mode, where others may write there", async () => {
    const text = `
      ${TELL.slice(0, TELL.lastIndexOf("ldxdw %r0"))}
      ldxdw %r1, [%r7]
      ldxdw %r0, [%r7+8]  # faults
      mov %r0, 0
      exit`;
    const meanwhile = (instance: RuntimeInstance, maps: Maps): void => {
      const pointer = instance.view.getBigUint64(
        Number(
          instance.view.getBigUint64(instance.exports.rt_map_values(maps["told"]!.handle), true),
        ),
        true,
      );
      expect(intrude(instance, maps, pointer + 56n)).toBe(0n);
    };
    const outcome = await meet({
      engine: PARANOID,
      text,
      prepare: withHash,
      meanwhile,
      after: 1,
    });
    expect(outcome).toMatchObject({ faultAt: expect.any(Number) });
  });
});

describe.each(ENGINES)("on $name, $mode,", (engine) => {
  it("a value stays where user space closed its map", async () => {
    const text = `${LOOK_UP}mov %r7, %r0\ncall 8\nstdw [%r7+8], 5\nldxdw %r0, [%r7+8]\nexit`;
    const meanwhile = (_: RuntimeInstance, { hash }: Maps): void => hash!.close();
    expect(await meet({ engine, text, prepare: withHash, meanwhile, after: 1 })).toBe(5n);
  });

  it("a record of an inner ring stays until the run ends, if its ring went", async () => {
    const text = `
      ${lookUp("outer")}
      jne %r0, 0, +1
      exit
      mov %r1, %r0
      mov %r2, 64
      mov %r3, 0
      call 131
      jne %r0, 0, +1
      exit
      mov %r6, %r0
      stdw [%r6], 1
      call 8
      stdw [%r6+56], 7
      ldxdw %r7, [%r6+56]
      mov %r1, %r6
      mov %r2, 0
      call 132
      mov %r0, %r7
      exit`;
    let after = 0;
    let before = 0;
    let used = (): number => 0;
    const prepare = (instance: RuntimeInstance): Maps => {
      const spec = { type: MAP_TYPE.ringbuf, keySize: 0, valueSize: 0, maxEntries: 4096 } as const;
      const inner = createMap(instance, { name: "inner", ...spec });
      const outer = createMap(instance, {
        name: "outer",
        type: MAP_TYPE.array_of_maps,
        valueSize: 4,
        inner: inner.spec,
      });
      outer.update(KEY, handleBytes(inner));
      used = () => instance.exports.rt_memory_used();
      return { inner, outer };
    };
    const meanwhile = (instance: RuntimeInstance, { inner, outer }: Maps): void => {
      before = used();
      outer!.delete(KEY);
      inner!.close();
      after = used();
      // What is freed is taken again.
      createMap(instance, { valueSize: 8192 });
    };
    expect(await meet({ engine, text, prepare, meanwhile, after: 2 })).toBe(7n);
    expect(before - after).toBeLessThan(4096);
    expect(used() - before).toBeLessThan(8192 - 4096);
  });
});
