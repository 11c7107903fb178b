import { beforeEach, describe, expect, it } from "vitest";
import { MAP_TYPE, type RecordBatch } from "#core/backend.ts";
import { openRing, type WasmRing } from "#wasm/ring.ts";
import { Machine, type TestMap } from "../support/machine.ts";

const SIZE_BYTES = 4096;
const NO_WAKEUP = 1;
const FORCE_WAKEUP = 2;

let machine: Machine;
let map: TestMap;
let ring: WasmRing;

beforeEach(async () => {
  machine = await Machine.create();
  map = machine.createMap({ type: MAP_TYPE.ringbuf, maxEntries: SIZE_BYTES });
  ring = openRing(machine.instance, "events", map.handle, 4);
});

function output(text: string, flags = 0): number {
  const from = machine.memory(text);
  return machine.call("ringbuf_output", map.address, from, text.length, flags);
}

function textOf(batch: RecordBatch, i: number): string {
  const start = batch.offsets[i]!;
  return new TextDecoder().decode(batch.buffer.subarray(start, start + batch.lengths[i]!));
}

function drain(): string[] {
  const texts: string[] = [];
  ring.consume((batch) => {
    for (let i = 0; i < batch.count; i++) texts.push(textOf(batch, i));
  });
  return texts;
}

describe("consuming a ring", () => {
  it("hands over records in batches no larger than the arrays, all the same objects", () => {
    for (const text of "abcdef") output(text);
    const batches: RecordBatch[] = [];
    const counts: number[] = [];
    const handed = ring.consume((batch) => {
      batches.push(batch);
      counts.push(batch.count);
    });
    expect(handed).toBe(6);
    expect(counts).toEqual([4, 2]);
    expect(batches[0]).toBe(batches[1]);
    expect(batches[0]!.buffer).toBe(machine.instance.u8);
  });

  it.each([0, 1, 3, 4, 5, 6, 7])("takes at most %i records", (most) => {
    for (const text of "abcdef") output(text);
    expect(ring.consume(() => {}, most)).toBe(Math.min(most, 6));
    expect(drain().join("")).toBe("abcdef".slice(most));
  });

  it("includes what the handler's own programs put into the ring", () => {
    output("first");
    const texts: string[] = [];
    ring.consume((batch) => {
      for (let i = 0; i < batch.count; i++) texts.push(textOf(batch, i));
      if (texts.length < 3) output(`after ${texts.length}`);
    });
    expect(texts).toEqual(["first", "after 1", "after 2"]);
  });

  it("delivers a batch again whose handler threw", () => {
    for (const text of "abcdef") output(text);
    let calls = 0;
    const failing = (): void => {
      if (++calls === 2) throw new Error("sink is down");
    };
    expect(() => ring.consume(failing)).toThrow("sink is down");
    expect(drain().join("")).toBe("ef");
  });

  it("is refused from within its own handler", () => {
    output("a");
    expect(() => ring.consume(() => void ring.consume(() => {}))).toThrow(/EBUSY/);
    expect(drain()).toEqual(["a"]);
  });

  it("survives its closing by the handler and the map's", () => {
    output("a");
    const before = machine.instance.exports.rt_memory_used();
    ring.consume(() => {
      ring.close();
      machine.instance.exports.rt_map_close(map.handle);
      expect(machine.instance.exports.rt_memory_used()).toBe(before);
    });
    expect(machine.instance.exports.rt_memory_used()).toBeLessThan(before - 2 * SIZE_BYTES);
  });

  it("does not let programs touch a record that was committed", () => {
    const record = machine.call("ringbuf_reserve", map.address, 12, 0);
    const other = machine.memory(16);
    expect(machine.call("probe_read_kernel", record, 12, other)).toBe(0);
    expect(() => machine.call("probe_read_kernel", record, 13, other)).toThrow(/may not write/);
    machine.call("ringbuf_submit", record, 0);
    expect(() => machine.call("probe_read_kernel", record, 1, other)).toThrow(/may not write/);
  });

  it("keeps a record contiguous that crosses the end of the ring", () => {
    output("x".repeat(3000));
    expect(drain()).toEqual(["x".repeat(3000)]);
    output("y".repeat(3000));
    expect(drain()).toEqual(["y".repeat(3000)]);
  });
});

describe("opening a ring", () => {
  it("is refused a second time until the first reader closed", () => {
    expect(() => openRing(machine.instance, "events", map.handle)).toThrow(/EBUSY/);
    ring.close();
    ring.close();
    openRing(machine.instance, "events", map.handle).close();
  });

  it("is refused for other maps and unknown handles", () => {
    const hash = machine.createMap({
      type: MAP_TYPE.hash,
      keySize: 4,
      valueSize: 4,
      maxEntries: 1,
    });
    expect(() => openRing(machine.instance, "h", hash.handle)).toThrow(/EINVAL/);
    expect(() => openRing(machine.instance, "h", 12)).toThrow(/EBADF/);
  });

  it("says EBADF for every call after close", () => {
    ring.close();
    expect(() => ring.consume(() => {})).toThrow(/EBADF/);
    expect(() => ring.availableBytes()).toThrow(/EBADF/);
    expect(() => ring.wait(0)).toThrow(/EBADF/);
  });
});

describe("waiting for a ring", () => {
  it("is over at once while there is data, and after the time without any", async () => {
    expect(await ring.wait(1)).toBe(false);
    output("a");
    expect(await ring.wait(1000)).toBe(true);
    expect(await ring.wait(1000)).toBe(true);
    drain();
    expect(await ring.wait(1)).toBe(false);
  });

  it("ends when a program signals data, for all who wait", async () => {
    const waits = [ring.wait(60_000), ring.wait(60_000)];
    output("a");
    expect(await Promise.all(waits)).toEqual([true, true]);
  });

  it("goes on where data was committed without a wake-up", async () => {
    expect(await ring.wait(1)).toBe(false);
    const waiting = ring.wait(20);
    output("a", NO_WAKEUP);
    expect(await waiting).toBe(false);
    expect(drain()).toEqual(["a"]);
  });

  it("goes on where what was signalled has been read, and later data came without a wake-up", async () => {
    output("a");
    expect(await ring.wait(1000)).toBe(true);
    expect(drain()).toEqual(["a"]);
    output("b", NO_WAKEUP);
    expect(await ring.wait(20)).toBe(false);
    expect(drain()).toEqual(["b"]);
  });

  it("is over at once while some of what was signalled is unread", async () => {
    output("a");
    output("b");
    ring.consume(() => {}, 1);
    expect(await ring.wait(1000)).toBe(true);
  });

  it("is over at once while what was signalled lies behind a record that is not committed", async () => {
    machine.run(() => {
      const first = machine.call("ringbuf_reserve", map.address, 8, 0);
      output("b", FORCE_WAKEUP);
      expect(drain()).toEqual([]);
      machine.call("ringbuf_submit", first, NO_WAKEUP);
      return 0;
    });
    expect(await ring.wait(1000)).toBe(true);
  });

  it("ends without data when the ring is closed", async () => {
    expect(await ring.wait(1)).toBe(false);
    const waiting = ring.wait(60_000);
    ring.close();
    expect(await waiting).toBe(false);
  });
});

describe("records of a run", () => {
  const reserve = (): number => machine.call("ringbuf_reserve", map.address, 8, 0);

  it("must have been given back when it ends, else it faults and they are discarded", () => {
    const leak = (): number => {
      machine.call("ringbuf_submit", reserve(), 0);
      return reserve();
    };
    expect(() => machine.run(leak)).toThrow(/not submitted once/);
    const lengths: number[] = [];
    ring.consume((batch) => void lengths.push(batch.count));
    expect(lengths).toEqual([1]);
    expect(ring.availableBytes()).toBe(0);
  });

  it("are discarded when the run faults for another reason", () => {
    const faulty = (): number => {
      reserve();
      return machine.call("probe_read_kernel", 0, 8, 0);
    };
    expect(() => machine.run(faulty)).toThrow(/may not write/);
    expect(drain()).toEqual([]);
    expect(ring.availableBytes()).toBe(0);
  });

  it("cannot be submitted twice, nor submitted when never reserved", () => {
    const twice = (): number => {
      const record = reserve();
      machine.call("ringbuf_submit", record, 0);
      return machine.call("ringbuf_discard", record, 0);
    };
    expect(() => machine.run(twice)).toThrow(/not submitted once/);
    const own = machine.memory(8);
    expect(() => machine.run(() => machine.call("ringbuf_submit", own, 0))).toThrow(
      /not submitted once/,
    );
  });

  it("cannot be kept across a tail call", () => {
    const programs = machine.createMap({
      type: MAP_TYPE.prog_array,
      keySize: 4,
      valueSize: 4,
      maxEntries: 1,
    });
    const held = (): number => {
      reserve();
      return machine.call("tail_call", 0, programs.address, 0);
    };
    expect(() => machine.run(held)).toThrow(/not submitted once/);
  });
});
