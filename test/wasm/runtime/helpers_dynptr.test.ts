/** Errors are those of Linux 6.18, which answered the same calls. */
import { beforeEach, describe, expect, it } from "vitest";
import { MAP_TYPE } from "#core/backend.ts";
import { openRing, type WasmRing } from "#wasm/ring.ts";
import { Machine } from "../../support/machine.ts";

const E2BIG = -7;
const EINVAL = -22;

let machine: Machine;
let ring: number;
let reader: WasmRing;
let dynptr: number;
let buffer: number;

beforeEach(async () => {
  machine = await Machine.create();
  const map = machine.createMap({ type: MAP_TYPE.ringbuf, maxEntries: 4096 });
  ring = map.address;
  reader = openRing(machine.instance, "events", map.handle);
  dynptr = machine.memory(16);
  buffer = machine.memory("0123456789abcdef");
});

describe("a dynptr over a reserved record", () => {
  it("answers as the kernel does at the edges of the record", () => {
    const write = (offset: number, length: number, flags = 0): number =>
      machine.call("dynptr_write", dynptr, offset, buffer, length, flags);
    expect(machine.call("ringbuf_reserve_dynptr", ring, 8, 0, dynptr)).toBe(0);
    expect([write(0, 9), write(1, 8), write(0, 8, 1), write(8, 0), write(0, 8)]).toEqual([
      E2BIG,
      E2BIG,
      EINVAL,
      0,
      0,
    ]);
    expect(machine.call("dynptr_read", buffer, 4, dynptr, 4, 1)).toBe(EINVAL);
    expect(machine.call("dynptr_read", buffer, 4, dynptr, 4, 0)).toBe(0);
    expect(machine.text(buffer).slice(0, 4)).toBe("4567");
    expect(machine.call("dynptr_data", dynptr, 1, 8)).toBe(0);
    expect(machine.call("dynptr_data", dynptr, 4, 4)).not.toBe(0);
    expect(machine.call("ringbuf_submit_dynptr", dynptr, 0)).toBe(0);
    const texts: string[] = [];
    reader.consume(({ buffer, offsets, lengths }) => {
      texts.push(new TextDecoder().decode(buffer.subarray(offsets[0], offsets[0]! + lengths[0]!)));
    });
    expect(texts).toEqual(["01234567"]);
  });

  it.each([
    ["flags", 8, 1, EINVAL],
    ["a record larger than the ring", 5000, 0, EINVAL],
    ["more than 16 MiB - 1", 0x1000000, 0, E2BIG],
  ])("of %s is null, and must be given back nevertheless", (_what, size, flags, expected) => {
    const body = (release: boolean) => (): number => {
      const status = machine.call("ringbuf_reserve_dynptr", ring, size, flags, dynptr);
      expect(machine.call("dynptr_read", buffer, 4, dynptr, 0, 0)).toBe(EINVAL);
      if (release) machine.call("ringbuf_submit_dynptr", dynptr, 0);
      return status;
    };
    expect(machine.run(body(true))).toBe(expected);
    expect(() => machine.run(body(false))).toThrow(/not submitted once/);
  });

  it("cannot be reserved over another that is still held", () => {
    const twice = (): number => {
      machine.call("ringbuf_reserve_dynptr", ring, 8, 0, dynptr);
      return machine.call("ringbuf_reserve_dynptr", ring, 8, 0, dynptr);
    };
    expect(() => machine.run(twice)).toThrow(/not submitted once/);
    expect(reader.consume(() => {})).toBe(0);
    expect(reader.availableBytes()).toBe(0);
  });

  it("that the program overwrote faults instead of reaching other memory", () => {
    const forged = (): number => {
      machine.call("ringbuf_reserve_dynptr", ring, 8, 0, dynptr);
      machine.instance.u32[dynptr / 4] = ring;
      return machine.call("dynptr_read", buffer, 8, dynptr, 0, 0);
    };
    expect(() => machine.run(forged)).toThrow(/may not read/);
  });
});

describe("a dynptr over memory", () => {
  it("reads and writes in place", () => {
    expect(machine.call("dynptr_from_mem", buffer, 16, 0, dynptr)).toBe(0);
    const four = machine.memory("WXYZ");
    expect(machine.call("dynptr_write", dynptr, 12, four, 4, 0)).toBe(0);
    expect(new TextDecoder().decode(machine.bytes(buffer, 16))).toBe("0123456789abWXYZ");
  });

  it("takes no flags", () => {
    expect(machine.call("dynptr_from_mem", buffer, 16, 1, dynptr)).toBe(EINVAL);
    expect(machine.call("dynptr_data", dynptr, 0, 1)).toBe(0);
  });
});
