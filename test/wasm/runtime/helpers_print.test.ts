/** Expected texts and errors are those of Linux 6.18, which answered the same calls. */
import { describe, expect, it } from "vitest";
import { Machine } from "../../support/machine.ts";

const EINVAL = -22;
const ENOSPC = -28;

/** Calls bpf_trace_vprintk; text arguments are passed by address. */
function print(machine: Machine, format: string, args: readonly (number | bigint | string)[]) {
  const bytes = new TextEncoder().encode(`${format}\0`);
  const words = machine.memory(Math.max(8, args.length * 8));
  args.forEach((arg, i) => {
    const value = typeof arg === "string" ? machine.memory(`${arg}\0`) : arg;
    machine.instance.view.setBigUint64(words + 8 * i, BigInt.asUintN(64, BigInt(value)), true);
  });
  machine.printed.length = 0;
  const status = machine.call(
    "trace_vprintk",
    machine.memory(bytes),
    bytes.length,
    words,
    args.length * 8,
  );
  return status < 0 ? status : machine.printed[0];
}

describe("bpf_trace_vprintk", () => {
  it.each([
    ["%d %i", [-1, 2 ** 31], "-1 -2147483648"],
    ["%u %x %X", [-1, 0xbeef, 0xbeef], "4294967295 beef BEEF"],
    ["%ld %lu", [-1, -1], "-1 18446744073709551615"],
    ["%lld %llx", [-5, 0x1234567890n], "-5 1234567890"],
    ["[%5d][%-5d][%05d][%+d][% d]", [42, 42, -42, 42, 42], "[   42][42   ][-0042][+42][ 42]"],
    ["[%-05d][%+x]", [7, 7], "[7    ][7]"],
    ["[%s][%8s][%-8s]", ["one", "two", "three"], "[one][     two][three   ]"],
    ["%c%c", [65, 0x142], "AB"],
    ["100%% of %d", [3], "100% of 3"],
    ["%px", [0xffff], "000000000000ffff"],
    ["[%5px][%05px][%-px]", [0xff, 0xff, 0xff], "[   ff][000ff][ff              ]"],
    ["[%12pS][%-8ps][%9pB]", [0x41, 0x41, 0x41], "[        0x41][0x41    ][0x41]"],
    ["%pks.%pks", ["a", "b"], "a.b"],
    ["plain, as UTF-8: é", [], "plain, as UTF-8: é"],
    ["more arguments than conversions", [1, 2], "more arguments than conversions"],
  ] as const)("prints %j", async (format, args, expected) => {
    const machine = await Machine.create();
    expect(print(machine, format, args)).toBe(expected);
  });

  it("prints network addresses in all four forms, and %pI6c as %pI6", async () => {
    const machine = await Machine.create();
    const address = machine.memory(Uint8Array.of(10, 0, 200, 1, ...new Array(10).fill(0), 0xab, 1));
    const six = "0a00:c801:0000:0000:0000:0000:0000:ab01";
    expect(print(machine, "%pI4 %pi4", [address, address])).toBe("10.0.200.1 010.000.200.001");
    expect(print(machine, "%pI6,%pI6c", [address, address])).toBe(`${six},${six}`);
    expect(print(machine, "%pi6", [address])).toBe(six.replaceAll(":", ""));
  });

  it("prints an unreadable string as empty and an unreadable address as zeroes", async () => {
    const machine = await Machine.create();
    expect(print(machine, "[%s][%pks][%pI4]", [0, 64, 8])).toBe("[][][0.0.0.0]");
  });

  it("reads %pus from user memory only", async () => {
    const machine = await Machine.create();
    const user = machine.instance.exports.rt_user_alloc(16);
    machine.instance.u8.set(new TextEncoder().encode("user"), user);
    expect(print(machine, "[%pus][%s][%pks]", [user, user, user])).toBe("[user][user][]");
  });

  it.each([
    "%",
    "%q",
    "%hd",
    "%f",
    "%#x",
    "%.3d",
    "%n",
    "%pa",
    "%pi5",
    "%pku",
    "%sx",
    "%lls",
    "%5%",
    "bell \x07",
    "%d %d",
  ])("refuses %j", async (format) => {
    const machine = await Machine.create();
    expect(print(machine, format, [1])).toBe(EINVAL);
  });

  it("refuses argument sizes that are no words or more than twelve of them", async () => {
    const machine = await Machine.create();
    const format = machine.memory("x\0");
    const words = machine.memory(13 * 8);
    expect(machine.call("trace_vprintk", format, 2, words, 12 * 8)).toBe(1);
    expect(machine.call("trace_vprintk", format, 2, words, 13 * 8)).toBe(EINVAL);
    expect(machine.call("trace_vprintk", format, 2, words, 12)).toBe(EINVAL);
  });

  it("refuses a format without NUL", async () => {
    const machine = await Machine.create();
    expect(machine.call("trace_printk", machine.memory("abc"), 3)).toBe(EINVAL);
  });

  it("has 512 bytes for the arguments' text, then answers -ENOSPC", async () => {
    const machine = await Machine.create();
    const long = "x".repeat(255);
    expect(print(machine, "%s%s", [long, long])).toBe(long + long);
    expect(print(machine, "%s%s%d", [long, long, 1])).toBe(ENOSPC);
    expect(print(machine, "%s", ["y".repeat(600)])).toBe("y".repeat(511));
  });
});

describe("bpf_trace_printk", () => {
  it("takes three arguments and returns the length", async () => {
    const machine = await Machine.create();
    const format = machine.memory("%d %d %d\0");
    expect(machine.call("trace_printk", format, 9, 1, 22, 333)).toBe(8);
    expect(machine.printed).toEqual(["1 22 333"]);
  });

  it("faults on a format that the program cannot read", async () => {
    const machine = await Machine.create();
    expect(() => machine.call("trace_printk", 64, 9)).toThrow(/may not read/);
  });
});

describe("bpf_snprintf", () => {
  it.each([
    [16, "value 77"],
    [9, "value 77"],
    [8, "value 7"],
    [1, ""],
  ])(
    "into %i bytes writes what fits and returns the whole size with NUL",
    async (size, expected) => {
      const machine = await Machine.create();
      const to = machine.memory(new Uint8Array(24).fill(0xee));
      const args = machine.memory(8);
      machine.instance.u32[args / 4] = 77;
      expect(machine.call("snprintf", to, size, machine.memory("value %d\0", false), args, 8)).toBe(
        9,
      );
      expect(machine.text(to)).toBe(expected);
      expect(machine.bytes(to + size, 1)[0]).toBe(0xee);
    },
  );

  it("into 0 bytes writes nothing", async () => {
    const machine = await Machine.create();
    expect(machine.call("snprintf", 0, 0, machine.memory("text\0", false), 0, 0)).toBe(5);
  });
});
