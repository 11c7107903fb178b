/** Loops, tail calls, locks, map arguments, and the scheduler's turn between helper calls. */
import { describe, expect, it } from "vitest";
import { MAP_TYPE } from "#core/backend.ts";
import { Machine, type TestMap } from "../../support/machine.ts";

const ENOENT = -2;
const E2BIG = -7;
const EINVAL = -22;

/** Calls bpf_loop in a program; the callback stops after `stopAfter` calls. */
function loop(machine: Machine, count: number, stopAfter: number, flags = 0) {
  let calls = 0;
  let callback = 0;
  const handle = machine.program(() => machine.call("loop", count, callback, 77, flags));
  const indices: number[] = [];
  callback = machine.callback(handle, (index = 0, context = 0) => {
    expect(context).toBe(77);
    if (calls < 5) indices.push(index);
    return ++calls === stopAfter ? 1 : 0;
  });
  const result = machine.instance.run(handle, 0)! | 0;
  return { result, calls, indices };
}

describe("bpf_loop", () => {
  it.each([
    [0, 0, 0],
    [1, 1, 1],
    [5, 5, 5],
  ])("of %i iterations makes %i and says so", async (count, calls, result) => {
    const machine = await Machine.create();
    expect(loop(machine, count, -1)).toMatchObject({ result, calls });
  });

  it("counts the iteration that stopped it", async () => {
    const machine = await Machine.create();
    expect(loop(machine, 100, 3)).toEqual({ result: 3, calls: 3, indices: [0, 1, 2] });
  });

  it("takes no flags and at most 2^23 iterations, of a 32-bit count", async () => {
    const machine = await Machine.create();
    expect(loop(machine, 5, -1, 1)).toMatchObject({ result: EINVAL, calls: 0 });
    expect(loop(machine, 2 ** 23 + 1, -1)).toMatchObject({ result: E2BIG, calls: 0 });
    expect(loop(machine, 2 ** 32 + 2, -1)).toMatchObject({ result: 2, calls: 2 });
    expect(loop(machine, 2 ** 23, 2)).toMatchObject({ result: 2 });
  });

  it("faults on a callback that is none of the program's", async () => {
    const machine = await Machine.create();
    const forged = machine.memory(64);
    expect(() => machine.run(() => machine.call("loop", 1, forged, 0, 0))).toThrow(/wrong kind/);
  });
});

describe("bpf_tail_call", () => {
  const progArray = (machine: Machine): TestMap =>
    machine.createMap({ type: MAP_TYPE.prog_array, keySize: 4, valueSize: 4, maxEntries: 2 });

  function put(machine: Machine, map: TestMap, index: number, handle: number): void {
    const { exports } = machine.instance;
    const key = machine.memory(Uint8Array.of(index, 0, 0, 0));
    const value = machine.memory(new Uint8Array(new Uint32Array([handle]).buffer));
    expect(exports.rt_map_update(map.handle, key, value, 0, 0)).toBe(0);
  }

  it("goes on with the target, which gets the caller's context", async () => {
    const machine = await Machine.create();
    const map = progArray(machine);
    const context = machine.memory(8);
    const seen: number[] = [];
    put(
      machine,
      map,
      1,
      machine.program((r1) => {
        seen.push(r1);
        return 42;
      }),
    );
    const caller = machine.program(() => machine.call("tail_call", 0, map.address, 1));
    expect(machine.instance.run(caller, context)).toBe(42);
    expect(seen).toEqual([context]);
  });

  it("falls through with an error for an empty slot and an index out of range", async () => {
    const machine = await Machine.create();
    const map = progArray(machine);
    const call = (index: number | bigint): number =>
      machine.run(() => machine.call("tail_call", 0, map.address, index));
    expect(call(0)).toBe(ENOENT);
    expect(call(2)).toBe(E2BIG);
    expect(call(2n ** 32n)).toBe(ENOENT);
  });

  it("is made 33 times at most", async () => {
    const machine = await Machine.create();
    const map = progArray(machine);
    let runs = 0;
    const self = machine.program(() => {
      runs++;
      return machine.call("tail_call", 0, map.address, 0);
    });
    put(machine, map, 0, self);
    expect(machine.instance.run(self, 0)! | 0).toBeLessThan(0);
    expect(runs).toBe(34);
  });

  it("keeps a program alive whose handle was given back", async () => {
    const machine = await Machine.create();
    const map = progArray(machine);
    const target = machine.program(() => 7);
    put(machine, map, 0, target);
    machine.instance.exports.program_put(target);
    expect(machine.run(() => machine.call("tail_call", 0, map.address, 0))).toBe(7);
  });

  it("faults on a map of another type", async () => {
    const machine = await Machine.create();
    const map = machine.createMap({
      type: MAP_TYPE.array,
      keySize: 4,
      valueSize: 4,
      maxEntries: 1,
    });
    expect(() => machine.run(() => machine.call("tail_call", 0, map.address, 0))).toThrow(
      /wrong kind/,
    );
  });
});

describe("spin locks", () => {
  async function withLock() {
    const machine = await Machine.create();
    return { machine, lock: machine.memory(8) };
  }

  it("can be taken and released, over and over", async () => {
    const { machine, lock } = await withLock();
    const body = (): number => {
      for (let i = 0; i < 3; i++) {
        machine.call("spin_lock", lock);
        machine.call("spin_unlock", lock);
      }
      return 1;
    };
    expect(machine.run(body)).toBe(1);
  });

  it.each<[string, (machine: Machine, lock: number) => void]>([
    ["is taken twice", (machine, lock) => machine.call("spin_lock", lock)],
    ["is still held at the end", () => {}],
    [
      "is another one than the one released",
      (machine, lock) => machine.call("spin_unlock", lock + 4),
    ],
    ["is held while a helper is called", (machine) => machine.call("ktime_get_ns")],
  ])("fault when the lock %s, and are free again afterwards", async (_what, misuse) => {
    const { machine, lock } = await withLock();
    const body = (): number => {
      machine.call("spin_lock", lock);
      misuse(machine, lock);
      return 0;
    };
    expect(() => machine.run(body)).toThrow(/spin lock/);
    expect(machine.instance.u32[lock / 4]).toBe(0);
    expect(machine.run(() => machine.call("ktime_get_ns"))).toBe(0);
  });

  it("fault when a free lock is released", async () => {
    const { machine, lock } = await withLock();
    expect(() => machine.run(() => machine.call("spin_unlock", lock))).toThrow(/spin lock/);
  });
});

describe("map arguments", () => {
  it("fault unless they are maps", async () => {
    const machine = await Machine.create();
    const key = machine.memory(8);
    for (const map of [0, key, 0xffff_ffff, 2n ** 40n]) {
      expect(() => machine.call("map_lookup_elem", map, key)).toThrow(/wrong kind/);
    }
  });

  it("fault for operations that the type does not have", async () => {
    const machine = await Machine.create();
    const ring = machine.createMap({ type: MAP_TYPE.ringbuf, maxEntries: 4096 });
    const queue = machine.createMap({ type: MAP_TYPE.queue, valueSize: 4, maxEntries: 4 });
    const bytes = machine.memory(16);
    for (const map of [ring, queue]) {
      expect(() => machine.call("map_lookup_elem", map.address, bytes)).toThrow(/wrong kind/);
      expect(() => machine.call("map_update_elem", map.address, bytes, bytes)).toThrow(
        /wrong kind/,
      );
      expect(() => machine.call("for_each_map_elem", map.address, 0, 0, 0)).toThrow(/wrong kind/);
    }
  });

  it("fault where key or value are not wholly readable", async () => {
    const machine = await Machine.create();
    const map = machine.createMap({
      type: MAP_TYPE.hash,
      keySize: 8,
      valueSize: 16,
      maxEntries: 2,
    });
    const [short, long] = [machine.memory(7), machine.memory(15)];
    const key = machine.memory(8);
    expect(() => machine.call("map_lookup_elem", map.address, short)).toThrow(/8 bytes/);
    expect(() => machine.call("map_update_elem", map.address, key, long, 0)).toThrow(/16 bytes/);
  });
});

describe("preemption", () => {
  it("runs other programs on idle CPUs only, each in its own run, and returns to the first CPU", async () => {
    const seen: number[] = [];
    let other = 0;
    let machine: Machine;
    const preempt = (): void => {
      const { exports, u32 } = machine.instance;
      const runs = exports.rt_cpu_runs_address() / 4;
      const idle = [0, 1, 2].filter((cpu) => u32[runs + cpu] === 0);
      expect(idle.length).toBeGreaterThan(0);
      seen.push(idle.length);
      machine.instance.run(other, 0, idle[0]);
    };
    machine = await Machine.create(3, { preempt });
    const { exports } = machine.instance;
    const call = (): number => {
      exports.rt_preemption_point();
      return machine.call("get_smp_processor_id");
    };
    other = machine.program(() => call() && call());
    exports.rt_preemption_set(1);
    expect(machine.run(() => (call() << 8) | call(), 0)).toBe(0);
    expect(seen.length).toBeGreaterThan(2);
    expect(seen).toContain(1);
    expect(Math.max(...seen)).toBeLessThanOrEqual(2);
  });
});
