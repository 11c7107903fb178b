/** Errors are those of Linux 6.18, which answered the same calls from a tc program. */
import { describe, expect, it } from "vitest";
import { MAP_TYPE } from "#core/backend.ts";
import { Machine, type TestMap } from "../../support/machine.ts";

const EPERM = -1;
const EBUSY = -16;
const EINVAL = -22;
const EDEADLK = -35;
const MONOTONIC = 1;
const MILLISECOND = 1_000_000;

/** An array whose values are a timer of 16 bytes and 8 bytes more. */
function timerArray(machine: Machine, maxEntries = 4): TestMap {
  const { array: type } = MAP_TYPE;
  return machine.createMap({ type, keySize: 4, valueSize: 24, maxEntries, timerOffset: 0 });
}

function valueAt(machine: Machine, map: TestMap, index: number): number {
  const key = machine.memory(Uint8Array.of(index, 0, 0, 0));
  return machine.call("map_lookup_elem", map.address, key);
}

function advance(machine: Machine, until_ns: number, limit = 1000): number {
  const { exports } = machine.instance;
  const high = Math.floor(until_ns / 2 ** 32);
  return machine.instance.guard(() => exports.rt_advance((until_ns % 2 ** 32) | 0, high, limit));
}

/** Inside a run of a program with that callback: timer calls need to know whose callback it is. */
function inProgram(
  machine: Machine,
  fired: (map: number, key: number, value: number) => void,
  body: (callback: number) => void,
): void {
  let callback = 0;
  const handle = machine.program(() => {
    body(callback);
    return 0;
  });
  callback = machine.callback(handle, (map = 0, key = 0, value = 0) => {
    fired(map, key, value);
    return 0;
  });
  machine.instance.run(handle, 0);
}

describe("arguments of timer helpers", () => {
  it("are answered as the kernel does, step by step", async () => {
    const machine = await Machine.create();
    const map = timerArray(machine);
    const timer = valueAt(machine, map, 0);
    const answers: number[] = [];
    const note = (answer: number): void => void answers.push(answer);
    inProgram(
      machine,
      () => {},
      (callback) => {
        note(machine.call("timer_start", timer, 0, 0));
        note(machine.call("timer_cancel", timer));
        note(machine.call("timer_set_callback", timer, callback));
        note(machine.call("timer_init", timer, map.address, 16));
        note(machine.call("timer_init", timer, map.address, 3));
        note(machine.call("timer_init", timer, map.address, MONOTONIC));
        note(machine.call("timer_init", timer, map.address, MONOTONIC));
        note(machine.call("timer_start", timer, MILLISECOND, 0));
        note(machine.call("timer_cancel", timer));
        note(machine.call("timer_set_callback", timer, callback));
        note(machine.call("timer_start", timer, MILLISECOND, 4));
        note(machine.call("timer_start", timer, 1000 * MILLISECOND, 0));
        note(machine.call("timer_cancel", timer));
        note(machine.call("timer_cancel", timer));
        note(machine.call("timer_start", timer, MILLISECOND, 0));
      },
    );
    const uninitialised = [EINVAL, EINVAL, EINVAL];
    const initialising = [EINVAL, EINVAL, 0, EBUSY];
    const withoutCallback = [EINVAL, 0];
    const running = [0, EINVAL, 0, 1, 0, EINVAL];
    expect(answers).toEqual([...uninitialised, ...initialising, ...withoutCallback, ...running]);
  });

  it("is -EPERM once user space has closed the map", async () => {
    const machine = await Machine.create();
    const map = timerArray(machine);
    const timer = valueAt(machine, map, 0);
    const outer = machine.createMap({ ...arrayOfMaps(), inner: map.handle });
    const key = machine.memory(4);
    const handle = machine.memory(new Uint8Array(new Uint32Array([map.handle]).buffer));
    expect(machine.instance.exports.rt_map_update(outer.handle, key, handle, 0, 0)).toBe(0);
    machine.instance.exports.rt_map_close(map.handle);
    expect(machine.call("timer_init", timer, map.address, MONOTONIC)).toBe(EPERM);
  });

  it("faults on memory that holds no timer", async () => {
    const machine = await Machine.create();
    const map = timerArray(machine);
    const timer = valueAt(machine, map, 0);
    machine.instance.u32[timer / 4] = machine.memory(64);
    expect(() => machine.call("timer_cancel", timer)).toThrow(/wrong kind/);
    const plain = machine.createMap({
      type: MAP_TYPE.array,
      keySize: 4,
      valueSize: 24,
      maxEntries: 1,
    });
    const value = valueAt(machine, plain, 0);
    expect(() => machine.call("timer_init", value, plain.address, MONOTONIC)).toThrow(/wrong kind/);
  });
});

function arrayOfMaps() {
  return { type: MAP_TYPE.array_of_maps, keySize: 4, valueSize: 4, maxEntries: 1 };
}

/** Initialises, sets and starts timers: [index, delay in ms]. */
function startTimers(
  machine: Machine,
  map: TestMap,
  delays_ms: readonly (readonly [index: number, delay_ms: number])[],
  fired: (index: number, value: number) => void,
): void {
  const { u32 } = machine.instance;
  inProgram(
    machine,
    (_map, key, value) => fired(u32[key / 4]!, value),
    (callback) => {
      for (const [index, delay_ms] of delays_ms) {
        const timer = valueAt(machine, map, index);
        machine.call("timer_init", timer, map.address, MONOTONIC);
        machine.call("timer_set_callback", timer, callback);
        machine.call("timer_start", timer, delay_ms * MILLISECOND, 0);
      }
    },
  );
}

describe("advancing the clock", () => {
  it("fires what came due in order of expiry, then of start, each at its own time", async () => {
    const machine = await Machine.create();
    const map = timerArray(machine);
    const log: string[] = [];
    const now = (): number => machine.call("ktime_get_ns") / MILLISECOND;
    const delays = [
      [0, 30],
      [1, 10],
      [2, 10],
      [3, 50],
    ] as const;
    startTimers(machine, map, delays, (index) => log.push(`${index} at ${now()}`));
    expect(advance(machine, 40 * MILLISECOND)).toBe(3);
    expect(log).toEqual(["1 at 10", "2 at 10", "0 at 30"]);
    expect(now()).toBe(40);
    const due = machine.instance.exports.rt_next_timer_address();
    expect(machine.instance.view.getBigUint64(due, true)).toBe(BigInt(50 * MILLISECOND));
  });

  it("fires a timer at its very nanosecond, not one before", async () => {
    const machine = await Machine.create();
    let count = 0;
    startTimers(machine, timerArray(machine), [[0, 1]], () => count++);
    advance(machine, MILLISECOND - 1);
    expect(count).toBe(0);
    advance(machine, MILLISECOND);
    expect(count).toBe(1);
    advance(machine, 10 * MILLISECOND);
    expect(count).toBe(1);
  });

  it("stops after the limit with a timer that restarts itself without delay", async () => {
    const machine = await Machine.create();
    const map = timerArray(machine);
    startTimers(machine, map, [[0, 1]], (_index, value) => {
      machine.call("timer_start", value, 0, 0);
    });
    expect(advance(machine, 2 * MILLISECOND, 50)).toBe(50);
    expect(machine.call("ktime_get_ns")).toBe(MILLISECOND);
  });

  it("keeps a periodic timer on its period", async () => {
    const machine = await Machine.create();
    const times: number[] = [];
    startTimers(machine, timerArray(machine), [[0, 10]], (_index, value) => {
      times.push(machine.call("ktime_get_ns") / MILLISECOND);
      machine.call("timer_start", value, 10 * MILLISECOND, 0);
    });
    advance(machine, 45 * MILLISECOND);
    expect(times).toEqual([10, 20, 30, 40]);
  });

  it("moves nothing when told to go back", async () => {
    const machine = await Machine.create();
    machine.setNow(1000n);
    advance(machine, 10);
    expect(machine.call("ktime_get_ns")).toBe(1000);
  });

  it("starts an absolute timer at its time of the chosen clock", async () => {
    const machine = await Machine.create();
    const map = timerArray(machine);
    const BOOTTIME = 7;
    machine.instance.exports.rt_clock_set_offsets(5 * MILLISECOND, 0, 0, 0);
    let fired = 0;
    inProgram(
      machine,
      () => fired++,
      (callback) => {
        const timer = valueAt(machine, map, 0);
        machine.call("timer_init", timer, map.address, BOOTTIME);
        machine.call("timer_set_callback", timer, callback);
        machine.call("timer_start", timer, 20 * MILLISECOND, 1);
      },
    );
    advance(machine, 15 * MILLISECOND - 1);
    expect(fired).toBe(0);
    advance(machine, 15 * MILLISECOND);
    expect(fired).toBe(1);
  });
});

describe("a timer in its own callback", () => {
  it("cannot be cancelled: -EDEADLK", async () => {
    const machine = await Machine.create();
    const answers: number[] = [];
    startTimers(machine, timerArray(machine), [[0, 1]], (_index, value) => {
      answers.push(machine.call("timer_cancel", value));
    });
    advance(machine, MILLISECOND);
    expect(answers).toEqual([EDEADLK]);
  });

  it("survives the deletion of its own hash element until the callback has ended", async () => {
    const machine = await Machine.create();
    const { hash: type } = MAP_TYPE;
    const shape = { type, keySize: 8, valueSize: 24, maxEntries: 4, timerOffset: 8 };
    const map = machine.createMap(shape);
    const key = machine.memory(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const zeroes = machine.memory(24);
    machine.call("map_update_elem", map.address, key, zeroes, 0);
    const timer = machine.call("map_lookup_elem", map.address, key) + 8;
    const keys: number[][] = [];
    const used = machine.instance.exports.rt_memory_used();
    inProgram(
      machine,
      (mapAddress, keyAddress) => {
        keys.push([...machine.bytes(keyAddress, 8)]);
        machine.call("map_delete_elem", mapAddress, keyAddress);
        expect(machine.call("timer_start", timer, 0, 0)).toBe(EINVAL);
      },
      (callback) => {
        machine.call("timer_init", timer, map.address, MONOTONIC);
        machine.call("timer_set_callback", timer, callback);
        machine.call("timer_start", timer, 0, 0);
      },
    );
    expect(machine.instance.exports.rt_memory_used()).toBeGreaterThan(used);
    expect(advance(machine, 0)).toBe(1);
    expect(keys).toEqual([[1, 2, 3, 4, 5, 6, 7, 8]]);
    expect(advance(machine, MILLISECOND)).toBe(0);
  });

  it("that faults can be cancelled afterwards", async () => {
    const machine = await Machine.create();
    const map = timerArray(machine);
    startTimers(machine, map, [[0, 1]], () => {
      machine.call("probe_read_kernel", 8, 8, 0);
    });
    expect(() => advance(machine, MILLISECOND)).toThrow(/may not write/);
    expect(machine.call("timer_cancel", valueAt(machine, map, 0))).toBe(0);
  });
});

describe("a timer whose map goes away", () => {
  it("never fires", async () => {
    const machine = await Machine.create();
    const map = timerArray(machine);
    let fired = 0;
    startTimers(machine, map, [[0, 1]], () => fired++);
    machine.instance.exports.rt_map_close(map.handle);
    expect(advance(machine, 10 * MILLISECOND)).toBe(0);
    expect(fired).toBe(0);
  });
});
