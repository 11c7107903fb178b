import { beforeEach, describe, expect, it } from "vitest";
import { MAP_TYPE } from "#core/backend.ts";
import { PerfBuffer } from "#wasm/perf_buffer.ts";
import { Machine, type TestMap } from "../../support/machine.ts";

const ENOENT = -2;
const E2BIG = -7;
const EFAULT = -14;
const EINVAL = -22;
const ENOSPC = -28;
const EOPNOTSUPP = -95;
const CURRENT_CPU = 0xffff_ffff;

let machine: Machine;
let map: TestMap;

beforeEach(async () => {
  machine = await Machine.create(4);
  const { perf_event_array: type } = MAP_TYPE;
  map = machine.createMap({ type, keySize: 4, valueSize: 4, maxEntries: 4 });
});

function send(text: string, index = CURRENT_CPU): number {
  return machine.call(
    "perf_event_output",
    0,
    map.address,
    index,
    machine.memory(text),
    text.length,
  );
}

function read(buffer: PerfBuffer): string[] {
  const texts: string[] = [];
  buffer.consume(({ buffer: bytes, offsets, lengths, count }) => {
    for (let i = 0; i < count; i++) {
      const text = bytes.subarray(offsets[i], offsets[i]! + lengths[i]!);
      texts.push(new TextDecoder().decode(text));
    }
  });
  return texts;
}

describe("bpf_perf_event_output", () => {
  it("reaches the buffer of the CPU that runs the program, and no other", () => {
    const buffers = [0, 1].map(
      (cpu) => new PerfBuffer(machine.instance, "p", map.handle, cpu, 4096),
    );
    machine.run(() => send("from 1"), 1);
    machine.run(() => send("from 0"), 0);
    expect(buffers.map(read)).toEqual([["from 0"], ["from 1"]]);
  });

  it("answers as the kernel does where it cannot", () => {
    expect(send("no event")).toBe(ENOENT);
    new PerfBuffer(machine.instance, "p", map.handle, 1, 4096);
    expect(send("another CPU's", 1)).toBe(EOPNOTSUPP);
    expect(send("no slot", 4)).toBe(E2BIG);
    expect(send("flags", 2 ** 32)).toBe(EINVAL);
  });

  it("counts what finds the buffer full", () => {
    const buffer = new PerfBuffer(machine.instance, "p", map.handle, 0, 4096);
    const sent = [send("x".repeat(2000)), send("x".repeat(2000)), send("x".repeat(2000))];
    expect(sent).toEqual([0, 0, ENOSPC]);
    expect(buffer.lost()).toBe(1);
    expect(read(buffer).length).toBe(2);
    expect(send("fits again")).toBe(0);
  });

  it("has one buffer a CPU, of a power of two pages, gone after close", () => {
    const open = (cpu: number, size: number) =>
      new PerfBuffer(machine.instance, "p", map.handle, cpu, size);
    const used = machine.instance.exports.rt_memory_used();
    const buffer = open(0, 4096);
    expect(() => open(0, 4096)).toThrow(/EBUSY/);
    expect(() => open(1, 5000)).toThrow(/EINVAL/);
    expect(() => open(4, 4096)).toThrow(/EINVAL/);
    buffer.close();
    expect(() => buffer.lost()).toThrow(/EBADF/);
    expect(send("nobody")).toBe(ENOENT);
    expect(machine.instance.exports.rt_memory_used()).toBeGreaterThanOrEqual(used);
    open(0, 4096).close();
  });
});

describe("stacks, which simulated tasks have none of", () => {
  it("answer -EFAULT and clear the buffer", () => {
    const to = machine.memory(new Uint8Array(16).fill(0xee));
    expect(machine.call("get_stack", 0, to, 16, 0)).toBe(EFAULT);
    expect(machine.bytes(to, 16)).toEqual(new Uint8Array(16));
    expect(machine.call("get_stack", 0, to, 16, 1 << 9)).toBe(EINVAL);
    expect(machine.call("get_stackid", 0, map.address, 0)).toBe(EFAULT);
  });
});
