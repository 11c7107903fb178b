/**
 * Helpers that compiled code does itself answer as the runtime's own: the same program with them
 * inlined, called (a program that calls through a register inlines none), and on the other engine.
 */
import { afterAll, describe, expect, it } from "vitest";
import { MAP_FLAG, MAP_TYPE } from "#core/backend.ts";
import { ProgramFault } from "#core/errors.ts";
import { aotEngine } from "#wasm/engines/aot/aot.ts";
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

const CONTEXT_BYTES = 16;
const PAGE = 4096;
/** Never reached; it makes the compiler call every helper. */
const CALL_BY_REGISTER = "\ncall %r6\nexit";

interface World {
  readonly instance: RuntimeInstance;
  readonly maps: Readonly<Record<string, WasmMap>>;
  /** r1 of the program: its first word is `argument`. */
  readonly context: number;
}

interface Scenario {
  readonly text: string;
  /** Slot of an LDDW that names the map. */
  readonly mapSlot?: number;
  readonly cpu?: number;
  readonly prepare?: (instance: RuntimeInstance) => Readonly<Record<string, WasmMap>>;
  readonly argument?: (world: World) => bigint;
}

async function outcome(engine: typeof aotEngine, scenario: Scenario, text: string) {
  useEngine(engine);
  const instance = await createInstance();
  const context = instance.createContext(CONTEXT_BYTES, true);
  const world = { instance, maps: scenario.prepare?.(instance) ?? {}, context };
  instance.view.setBigUint64(context, scenario.argument?.(world) ?? 0n, true);
  const references =
    scenario.mapSlot === undefined
      ? []
      : [{ kind: "map" as const, slot: scenario.mapSlot, map: "map" }];
  const { handle } = loadProgram(instance, link(text, references), world.maps);
  try {
    instance.run(handle, context, scenario.cpu ?? 0);
    return instance.result64;
  } catch (error) {
    if (!(error instanceof ProgramFault)) throw error;
    return error.message;
  }
}

/** The outcome of the program, which is the same whoever does the helper's work. */
async function agreed(scenario: Scenario): Promise<bigint | string> {
  const { text } = scenario;
  const inlined = await outcome(aotEngine, scenario, text);
  expect(await outcome(aotEngine, scenario, text + CALL_BY_REGISTER)).toBe(inlined);
  expect(await outcome(ubpfEngine, scenario, text)).toBe(inlined);
  return inlined;
}

afterAll(() => useEngine(aotEngine));

describe("lookups in arrays", () => {
  const LOOK_UP = `
    ldxdw %r3, [%r1]
    stxw [%r10-4], %r3
    mov %r2, %r10
    add %r2, -4
    lddw %r1, 0
    call 1
    exit`;
  const look = (type: number, key: bigint, cpu: number, flags = 0): Scenario => ({
    text: LOOK_UP,
    mapSlot: 4,
    cpu,
    prepare: (instance) => ({
      map: createMap(instance, { type: type as never, valueSize: 12, maxEntries: 3, flags }),
    }),
    argument: () => key,
  });

  it.each([MAP_TYPE.array, MAP_TYPE.percpu_array])(
    "of type %i find values or NULL",
    async (type) => {
      const addresses = new Set<bigint | string>();
      for (const cpu of [0, 1]) {
        for (const key of [0n, 1n, 2n]) addresses.add(await agreed(look(type, key, cpu)));
        for (const key of [3n, 0x7fff_ffffn, 0xffff_ffffn, 0x5_0000_0003n]) {
          expect(await agreed(look(type, key, cpu))).toBe(0n);
        }
      }
      expect(addresses).not.toContain(0n);
      expect(addresses.size).toBe(type === MAP_TYPE.percpu_array ? 6 : 3);
    },
  );

  it("are refused where programs only write", async () => {
    const scenario = look(MAP_TYPE.array, 0n, 0, MAP_FLAG.WRONLY_PROG);
    expect(await agreed(scenario)).toMatch(/argument/);
  });
});

describe("lookups in hash tables", () => {
  const LOOK_UP = `
    ldxdw %r3, [%r1]
    stxdw [%r10-8], %r3
    mov %r2, %r10
    add %r2, -8
    lddw %r1, 0
    call 1
    exit`;
  /** With these keys some buckets have more than one element. */
  const ENTRIES = 16;
  const PERCPU: ReadonlySet<number> = new Set([MAP_TYPE.percpu_hash, MAP_TYPE.lru_percpu_hash]);
  const keyOf = (index: number): bigint => BigInt(index) * 0x1234_5678_9abc_def1n;
  const look = (type: number, keySize: number, key: bigint): Scenario => ({
    text: LOOK_UP,
    mapSlot: 4,
    prepare: (instance) => {
      const map = createMap(instance, {
        type: type as never,
        keySize,
        valueSize: 12,
        maxEntries: ENTRIES,
      });
      const bytes = new Uint8Array(8);
      const value = new Uint8Array(PERCPU.has(type) ? 16 * instance.cpus : 12);
      for (let index = 0; index < ENTRIES; index++) {
        new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, keyOf(index)), true);
        map.update(bytes.subarray(0, keySize), value.fill(index));
      }
      return { map };
    },
    argument: () => BigInt.asUintN(64, key),
  });

  it.each([
    [MAP_TYPE.hash, 4],
    [MAP_TYPE.hash, 8],
    [MAP_TYPE.hash, 3],
    [MAP_TYPE.lru_hash, 4],
    [MAP_TYPE.lru_hash, 8],
    [MAP_TYPE.percpu_hash, 4],
    [MAP_TYPE.lru_percpu_hash, 8],
  ])("of type %i with keys of %i bytes find values or NULL", async (type, keySize) => {
    const addresses = new Set<bigint | string>();
    for (let index = 0; index < ENTRIES; index++) {
      const address = await agreed(look(type, keySize, keyOf(index)));
      expect(address).not.toBe(0n);
      addresses.add(address);
    }
    expect(addresses.size).toBe(ENTRIES);
    // 4 bytes of a key that differs above them are the same key.
    const above = await agreed(look(type, keySize, keyOf(3) ^ (1n << 40n)));
    expect(above === 0n).toBe(keySize === 8);
    for (const key of [1n, 0xffff_ffffn, keyOf(ENTRIES), keyOf(1) ^ 1n]) {
      expect(await agreed(look(type, keySize, key))).toBe(0n);
    }
  });

  it("of no entries find none", async () => {
    const empty = look(MAP_TYPE.hash, 4, 0n);
    const prepare = (instance: RuntimeInstance) => ({
      map: createMap(instance, { type: MAP_TYPE.hash, keySize: 4, maxEntries: 1 }),
    });
    expect(await agreed({ ...empty, prepare })).toBe(0n);
  });

  it("are refused where programs only write", async () => {
    const scenario = look(MAP_TYPE.hash, 4, 0n);
    const prepare = (instance: RuntimeInstance) => ({
      map: createMap(instance, {
        type: MAP_TYPE.hash,
        keySize: 4,
        flags: MAP_FLAG.WRONLY_PROG,
      }),
    });
    expect(await agreed({ ...scenario, prepare })).toMatch(/argument/);
  });

  it.each([4, 8])("keep what they find in an LRU of keys of %i bytes", async (keySize) => {
    for (const text of [LOOK_UP, LOOK_UP + CALL_BY_REGISTER]) {
      useEngine(aotEngine);
      const instance = await createInstance();
      const context = instance.createContext(CONTEXT_BYTES, true);
      const map = createMap(instance, { type: MAP_TYPE.lru_hash, keySize, maxEntries: 64 });
      const reference = { kind: "map" as const, slot: 4, map: "map" };
      const { handle } = loadProgram(instance, link(text, [reference]), { map });
      const key = new Uint8Array(8);
      map.update(key.subarray(0, keySize), new Uint8Array(map.spec.valueSize));
      for (let other = 1; other < 1000; other++) {
        instance.run(handle, context, 0);
        expect(instance.result64).not.toBe(0n);
        new DataView(key.buffer).setUint32(0, other, true);
        map.update(key.subarray(0, keySize), new Uint8Array(map.spec.valueSize));
      }
    }
  });
});

describe("words of kernel memory", () => {
  const KERNEL_WORD = 0x1122_3344_5566_7788n;
  /** r0 of the read, or with `word` what lies in the frame after it. */
  const read = (size: number, result: "status" | "word"): string => `
    stdw [%r10-8], -1
    ldxdw %r3, [%r1]
    mov %r2, ${size}
    mov %r1, %r10
    add %r1, -8
    call 113
    ${result === "word" ? "ldxdw %r0, [%r10-8]" : ""}
    exit`;
  /** Two pages of the kernel's in a row; what follows them is not the kernel's. */
  const pages = ({ exports, view }: RuntimeInstance): number => {
    const start = exports.rt_kernel_alloc(2 * PAGE);
    for (let at = start; at < start + 2 * PAGE; at += 8) view.setBigUint64(at, KERNEL_WORD, true);
    return start;
  };
  const PLACES: readonly (readonly [string, (world: World) => bigint])[] = [
    ["in a page", ({ instance }) => BigInt(pages(instance) + 24)],
    ["that are not aligned", ({ instance }) => BigInt(pages(instance) + 27)],
    ["at a page's end", ({ instance }) => BigInt(pages(instance) + PAGE - 8)],
    ["across two pages", ({ instance }) => BigInt(pages(instance) + PAGE - 3)],
    ["that reach beyond the memory", ({ instance }) => BigInt(pages(instance) + 2 * PAGE - 3)],
    ["of a process", ({ instance }) => BigInt(instance.exports.rt_user_alloc(64))],
    ["of the program's own", ({ context }) => BigInt(context + 8)],
    ["at NULL", () => 0n],
    ["at the end of the machine", ({ instance }) => BigInt(instance.u8.length - 4)],
    ["behind the machine", ({ instance }) => BigInt(instance.u8.length)],
    ["at the other end of the address space", () => 0xffff_ffff_ffff_fffcn],
    ["above 4 GiB", ({ instance }) => BigInt(pages(instance)) + 0x1_0000_0000n],
  ];

  it.each(PLACES)("%s", async (_, argument) => {
    for (const size of [1, 3, 4, 8]) {
      const status = await agreed({ text: read(size, "status"), argument });
      const word = await agreed({ text: read(size, "word"), argument });
      if (status !== 0n)
        expect(word).toBe(((1n << 64n) - (1n << BigInt(8 * size))) & (2n ** 64n - 1n));
    }
  });

  it("are the words that lie there", async () => {
    const argument = PLACES[0]![1];
    expect(await agreed({ text: read(8, "word"), argument })).toBe(KERNEL_WORD);
    expect(await agreed({ text: read(4, "word"), argument })).toBe(0xffff_ffff_5566_7788n);
  });
});

describe("what the machine says of itself", () => {
  const ask = (id: number): string => `call ${id}\nmov %r6, %r0\ncall ${id}\nxor %r0, %r6\nexit`;
  /** A task with a cgroup at level 17, of which 16 are kept. */
  const task = (instance: RuntimeInstance) => {
    const { exports, u32, view } = instance;
    const at = exports.rt_task_address(200);
    u32.set([42, 43, 1000, 1001], at / 4);
    view.setBigUint64(at + 64, 0x1234n, true);
    view.setUint32(at + 104, 17, true);
    for (let level = 0; level < 16; level++) {
      view.setBigUint64(at + 112 + 8 * level, (7n << 40n) | BigInt(level), true);
    }
    u32[exports.rt_current_tasks_address() / 4 + 1] = 200;
    return {};
  };

  it.each([
    [
      "the clock, which goes on",
      5,
      (instance: RuntimeInstance) => {
        instance.view.setBigUint64(instance.exports.rt_clock_address(), 0xffff_fff0n, true);
        instance.exports.rt_clock_set_tick(0x9000_0000);
        return {};
      },
      0x1_8fff_fff0n,
    ],
    ["the CPU", 8, task, 1n],
    ["process and thread", 14, task, (42n << 32n) | 43n],
    ["user and group", 15, task, (1001n << 32n) | 1000n],
    ["the address of the task", 35, task, 0x1234n],
    ["the task's cgroup", 80, task, (7n << 40n) | 1n],
  ] as const)("%s", async (_, id, prepare, expected) => {
    expect(await agreed({ text: `call ${id}\nexit`, prepare, cpu: 1 })).toBe(expected);
    await agreed({ text: ask(id), prepare, cpu: 1 });
  });
});

describe("helpers under a lock", () => {
  it("fault, though they would do", async () => {
    const scenario: Scenario = {
      text: `
        stw [%r10-4], 0
        mov %r2, %r10
        add %r2, -4
        lddw %r1, 0
        call 1
        mov %r6, %r0
        mov %r1, %r0
        call 93
        call 5
        mov %r1, %r6
        call 94
        mov %r0, 0
        exit`,
      mapSlot: 3,
      prepare: (instance) => ({ map: createMap(instance, { valueSize: 16 }) }),
    };
    expect(await agreed(scenario)).toMatch(/lock/);
  });
});
