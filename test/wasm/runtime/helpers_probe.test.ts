import { describe, expect, it } from "vitest";
import { type HelperName, Machine } from "../../support/machine.ts";

const EFAULT = -14;
const ERANGE = -34;
const PAGE = 4096;
const FILL = 0xee;

async function withTarget(size = 64): Promise<{ machine: Machine; to: number }> {
  const machine = await Machine.create();
  return { machine, to: machine.memory(new Uint8Array(size).fill(FILL)) };
}

/** A page of simulated memory whose last bytes are `tail`; nothing readable follows it. */
function pageEndingIn(machine: Machine, space: "kernel" | "user", tail: Uint8Array): number {
  const { exports, u8 } = machine.instance;
  const page =
    space === "kernel" ? exports.rt_kernel_alloc(2 * PAGE) : exports.rt_user_alloc(2 * PAGE);
  const start = page + 2 * PAGE - tail.length;
  u8.set(tail, start);
  return start;
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("probe reads", () => {
  it("copy kernel memory only for the kernel helper, user memory only for the user helper", async () => {
    const { machine, to } = await withTarget();
    const kernel = machine.instance.exports.rt_kernel_alloc(8);
    const user = machine.instance.exports.rt_user_alloc(8);
    machine.instance.u8.set(ascii("kernel!!"), kernel);
    machine.instance.u8.set(ascii("userland"), user);
    const read = (name: HelperName, from: number): string | number => {
      const status = machine.call(name, to, 8, from);
      return status === 0 ? new TextDecoder().decode(machine.bytes(to, 8)) : status;
    };
    expect(read("probe_read_kernel", kernel)).toBe("kernel!!");
    expect(read("probe_read_kernel", user)).toBe(ERANGE);
    expect(read("probe_read_user", user)).toBe("userland");
    expect(read("probe_read_user", kernel)).toBe(EFAULT);
    expect(read("probe_read", kernel)).toBe("kernel!!");
    expect(read("probe_read", user)).toBe("userland");
  });

  it.each([
    ["NULL", 0n, ERANGE],
    ["a small offset from NULL", 0x40n, ERANGE],
    ["the last user address", 0x7fff_ffff_f000n, ERANGE],
    ["the vsyscall page", 0xffff_ffff_ff60_0000n, ERANGE],
    ["the first kernel address", 0xffff_8000_0000_0000n, EFAULT],
    ["an unmapped kernel address", 0xffff_8880_0000_0000n, EFAULT],
    ["the last address there is", 0xffff_ffff_ffff_ffffn, EFAULT],
  ])("of %s fail as on x86 and clear the whole destination", async (_name, from, expected) => {
    const { machine, to } = await withTarget();
    expect(machine.call("probe_read_kernel", to, 24, from)).toBe(expected);
    expect(machine.bytes(to, 24)).toEqual(new Uint8Array(24));
    expect(machine.bytes(to + 24, 8)).toEqual(new Uint8Array(8).fill(FILL));
    expect(machine.call("probe_read_kernel_str", to, 8, from)).toBe(expected);
    expect(machine.call("probe_read", to, 8, from)).toBe(EFAULT);
    expect(machine.call("probe_read_user", to, 8, from)).toBe(EFAULT);
  });

  it("fail as a whole where they run off readable memory by one byte", async () => {
    const { machine, to } = await withTarget();
    const from = pageEndingIn(machine, "kernel", ascii("12345678"));
    expect(machine.call("probe_read_kernel", to, 8, from)).toBe(0);
    expect(machine.call("probe_read_kernel", to, 9, from)).toBe(EFAULT);
    expect(machine.bytes(to, 9)).toEqual(new Uint8Array(9));
  });

  it("read what the program could load itself", async () => {
    const { machine, to } = await withTarget();
    const own = machine.memory("own bytes");
    expect(machine.call("probe_read_kernel", to, 9, own)).toBe(0);
    expect(machine.bytes(to, 9)).toEqual(ascii("own bytes"));
  });

  it("of size 0 succeed anywhere", async () => {
    const { machine, to } = await withTarget();
    expect(machine.call("probe_read_kernel", to, 0, 0)).toBe(0);
    expect(machine.bytes(to, 1)[0]).toBe(FILL);
  });

  it("fault when the destination is not the program's to write", async () => {
    const { machine } = await withTarget();
    const readOnly = machine.memory(8, false);
    expect(() => machine.call("probe_read_kernel", readOnly, 8, 0)).toThrow(/may not write/);
  });
});

describe.each(["kernel", "user"] as const)("strings of %s memory", (space) => {
  const helper: HelperName = `probe_read_${space}_str`;

  it("count their NUL", async () => {
    const { machine, to } = await withTarget();
    const from = pageEndingIn(machine, space, ascii("hello\0"));
    expect(machine.call(helper, to, 32, from)).toBe(6);
    expect(machine.text(to)).toBe("hello");
  });

  it.each([
    [5, "hell"],
    [6, "hello"],
    [1, ""],
  ])("are cut to %i bytes with a NUL", async (size, expected) => {
    const { machine, to } = await withTarget();
    const from = pageEndingIn(machine, space, ascii("hello, world\0"));
    expect(machine.call(helper, to, size, from)).toBe(size);
    expect(machine.text(to)).toBe(expected.slice(0, size - 1));
    expect(machine.bytes(to + size, 1)[0]).toBe(FILL);
  });

  it("of size 0 are 0 long", async () => {
    const { machine, to } = await withTarget();
    expect(machine.call(helper, to, 0, 0)).toBe(0);
  });

  it("without NUL before unreadable memory answer -EFAULT and clear the destination", async () => {
    const { machine, to } = await withTarget();
    const from = pageEndingIn(machine, space, ascii("no end"));
    expect(machine.call(helper, to, 32, from)).toBe(EFAULT);
    expect(machine.bytes(to, 32)).toEqual(new Uint8Array(32));
  });

  it("may end exactly where readable memory ends", async () => {
    const { machine, to } = await withTarget();
    const from = pageEndingIn(machine, space, ascii("exactly sixteen\0"));
    expect(machine.call(helper, to, 32, from)).toBe(16);
  });
});

describe("bytes behind a string's NUL", () => {
  it("stay for kernel memory, are cleared to the end of the word for user memory", async () => {
    const { machine, to } = await withTarget();
    const kernel = machine.instance.exports.rt_kernel_alloc(16);
    const user = machine.instance.exports.rt_user_alloc(16);
    for (const from of [kernel, user]) machine.instance.u8.set(ascii("ab\0junk!!"), from);
    machine.call("probe_read_kernel_str", to, 16, kernel);
    expect([...machine.bytes(to, 9)]).toEqual([97, 98, 0, FILL, FILL, FILL, FILL, FILL, FILL]);
    machine.call("probe_read_user_str", to, 16, user);
    expect([...machine.bytes(to, 9)]).toEqual([97, 98, 0, 0, 0, 0, 0, 0, FILL]);
  });
});
