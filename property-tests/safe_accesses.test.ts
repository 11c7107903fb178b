/**
 * What the compiler leaves unchecked is never outside: random programs over values, records and frames, on the
 * compiling engine and on uBPF, which checks every access. Both machines have everything at the same addresses.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAP_FLAG, MAP_TYPE, type MapSpec } from "#core/backend.ts";
import { ProgramFault } from "#core/errors.ts";
import { aotEngine } from "#wasm/engines/aot/aot.ts";
import type { Engine } from "#wasm/engines/engine.ts";
import { ubpfEngine } from "#wasm/engines/ubpf/ubpf.ts";
import { RuntimeInstance } from "#wasm/instance.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";
import { WasmMap } from "#wasm/map.ts";
import { linkNoted } from "../test/backends/wasm/engines/aot/safe_access_programs.ts";
import { link } from "../test/wasm/program_fixture.ts";
import { VALUE_BYTES } from "./arbitraries/pointer_program_text.ts";
import {
  INPUT_BYTES,
  type PointerProgram,
  pointerProgram,
  RING_BYTES,
} from "./arbitraries/pointer_programs.ts";
import { checkProperty } from "./property.ts";

const KEYS = 3;
const value = { keySize: 4, valueSize: VALUE_BYTES, maxEntries: KEYS, flags: 0 };
const SPECS: readonly MapSpec[] = [
  { ...value, name: "array", type: MAP_TYPE.array },
  { ...value, name: "hash", type: MAP_TYPE.hash },
  { ...value, name: "percpu", type: MAP_TYPE.percpu_array },
  { ...value, name: "data", type: MAP_TYPE.array, maxEntries: 1 },
  {
    ...value,
    name: "constants",
    type: MAP_TYPE.array,
    maxEntries: 1,
    flags: MAP_FLAG.RDONLY_PROG,
  },
  { ...value, name: "input", type: MAP_TYPE.array, valueSize: INPUT_BYTES, maxEntries: 1 },
  {
    ...value,
    name: "ring",
    type: MAP_TYPE.ringbuf,
    keySize: 0,
    valueSize: 0,
    maxEntries: RING_BYTES,
  },
];

const keyOf = (index: number): Uint8Array => new Uint8Array(Uint32Array.of(index).buffer);

class Machine {
  readonly #engine: Engine;
  readonly #instance: RuntimeInstance;
  readonly #maps: ReadonlyMap<string, WasmMap>;
  readonly #reader: number;
  /** Where frames of entry functions end. */
  readonly frame: bigint;

  private constructor(engine: Engine, instance: RuntimeInstance) {
    this.#engine = engine;
    this.#instance = instance;
    this.#maps = new Map(SPECS.map((spec) => [spec.name, new WasmMap(instance, spec)]));
    this.#reader = instance.exports.rt_ring_open(this.#maps.get("ring")!.handle, 64);
    // The area of frames is taken by the first run, which is the same on every machine.
    const first = aotEngine.load(instance, link("mov %r0, %r10\nexit"), () => 0);
    instance.run(first.handle, 0);
    this.frame = instance.result64;
    first.close();
  }

  /** A reader looks at the ring at every call of a helper. */
  static async create(engine: Engine): Promise<Machine> {
    let read = (): void => {};
    const instance = await RuntimeInstance.create({
      wasm: await loadRuntimeModule(),
      memoryBytes: 8 << 20,
      cpus: 2,
      host: { preempt: () => read() },
    });
    instance.exports.rt_preemption_set(1);
    instance.setBudget(200_000);
    const machine = new Machine(engine, instance);
    read = () => machine.#readRing();
    return machine;
  }

  #readRing(): void {
    const { exports } = this.#instance;
    exports.rt_ring_fill(this.#reader, 64);
    exports.rt_ring_release(this.#reader);
  }

  #reset(input: Uint8Array): void {
    const hash = this.#maps.get("hash")!;
    const key = new Uint8Array(4);
    for (let left = KEYS; hash.nextKey(null, key); left--) {
      if (left === 0 || !hash.delete(key)) throw new Error("a program wrote into a key");
    }
    const blank = new Uint8Array(2 * VALUE_BYTES);
    for (const [name, map] of this.#maps) {
      if (map.spec.keySize === 0) continue;
      for (let key = 0; key < map.spec.maxEntries; key++) {
        if (name === "hash" && key === 1) continue;
        map.update(keyOf(key), name === "input" ? input : blank.subarray(0, map.valueBytes));
      }
    }
  }

  #contents(): string {
    const found: string[] = [];
    for (const map of this.#maps.values()) {
      if (map.spec.keySize === 0) continue;
      const bytes = new Uint8Array(map.valueBytes);
      for (let key = 0; key <= KEYS; key++) {
        if (map.lookup(keyOf(key), bytes)) found.push(Buffer.from(bytes).toString("hex"));
      }
    }
    return found.join(" ");
  }

  /** r0 or the fault, and what is left in the maps. */
  run(program: LinkedProgram, input: Uint8Array): string {
    const instance = this.#instance;
    this.#reset(input);
    const loaded = this.#engine.load(instance, program, (reference) => {
      const map = this.#maps.get(reference.map)!;
      if (reference.kind === "map") return map.address;
      return instance.exports.rt_map_values(map.handle) + reference.offset;
    });
    let end: string;
    try {
      instance.run(loaded.handle, 0);
      end = `r0 0x${instance.result64.toString(16)}`;
    } catch (error) {
      if (!(error instanceof ProgramFault)) throw error;
      end = cutAddress(error.message);
    } finally {
      loaded.close();
      this.#readRing();
    }
    return `${end}; ${this.#contents()}`;
  }
}

/** uBPF hands on no more than 32 bits of an address (docs/decisions/003-older-ubpf.md). */
function cutAddress(message: string): string {
  return message.replace(/0x[0-9a-f]{9,}/g, (address) => {
    return `0x${BigInt.asUintN(32, BigInt(address)).toString(16)}`;
  });
}

/** The same end on both. `tell` hears each. */
function agree(
  [first, second]: readonly [Machine, Machine],
  tell: (end: string) => void = () => {},
): fc.IProperty<[PointerProgram]> {
  expect(second.frame).toBe(first.frame);
  return fc.property(pointerProgram, ({ text, input }) => {
    const program = linkNoted(text.replaceAll("FRAME", `${first.frame}`));
    const expected = first.run(program, input);
    const actual = second.run(program, input);
    if (actual !== expected) throw new Error(`aot: ${actual}\nubpf: ${expected}`);
    tell(actual);
  });
}

describe("accesses that are not checked", () => {
  it("are never outside", async () => {
    let faults = 0;
    const count = (end: string): void => {
      if (!end.startsWith("r0")) faults++;
    };
    const machines = [await Machine.create(ubpfEngine), await Machine.create(aotEngine)] as const;
    const runs = checkProperty("accesses without a check", agree(machines, count));
    // Programs that all fault, or never, would show little.
    if (runs < 100) return;
    expect(faults).toBeGreaterThan(runs / 10);
    expect(faults).toBeLessThan((runs * 9) / 10);
  });
});
