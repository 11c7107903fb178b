/** Expected numbers and errors are those of Linux 6.18, which answered the same calls. */
import { describe, expect, it } from "vitest";
import { Machine } from "../../support/machine.ts";

const EINVAL = -22;
const ERANGE = -34;

function parse(machine: Machine, name: "strtol" | "strtoul", text: string, flags: number) {
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const result = machine.memory(new Uint8Array(8).fill(0xee));
  const consumed = machine.call(name, machine.memory(bytes), bytes.length, flags, result);
  const { view } = machine.instance;
  const value =
    name === "strtol" ? view.getBigInt64(result, true) : view.getBigUint64(result, true);
  return [consumed, value] as const;
}

describe("bpf_strtol", () => {
  it.each([
    ["123", 0, 3, 123n],
    [" \t\n-123 rest", 0, 7, -123n],
    ["\xa05", 0, 2, 5n],
    ["0x1fz", 0, 4, 31n],
    ["0X1F", 16, 4, 31n],
    ["ff", 16, 2, 255n],
    ["0779", 0, 3, 63n],
    ["0x", 0, 1, 0n],
    ["0xg", 16, EINVAL, 0n],
    ["9223372036854775807", 0, 19, 2n ** 63n - 1n],
    ["9223372036854775808", 0, ERANGE, 0n],
    ["-9223372036854775808", 0, 20, -(2n ** 63n)],
    ["-9223372036854775809", 0, ERANGE, 0n],
    ["18446744073709551616", 0, ERANGE, 0n],
    ["+1", 0, EINVAL, 0n],
    ["--1", 0, EINVAL, 0n],
    ["-", 0, EINVAL, 0n],
    ["  ", 0, EINVAL, 0n],
    ["8", 8, EINVAL, 0n],
    ["1", 7, EINVAL, 0n],
    ["1", 0x20, EINVAL, 0n],
  ] as const)(
    "of %j with flags %i answers %i and stores %s",
    async (text, flags, consumed, value) => {
      const machine = await Machine.create();
      expect(parse(machine, "strtol", text, flags)).toEqual([consumed, value]);
    },
  );

  it("looks at 63 characters only", async () => {
    const machine = await Machine.create();
    expect(parse(machine, "strtol", `${"0".repeat(62)}123`, 10)).toEqual([63, 1n]);
  });
});

describe("bpf_strtoul", () => {
  it.each([
    ["18446744073709551615", 0, 20, 2n ** 64n - 1n],
    ["18446744073709551616", 0, ERANGE, 0n],
    ["-1", 0, EINVAL, 0n],
    ["0xffffffffffffffff", 0, 18, 2n ** 64n - 1n],
  ] as const)(
    "of %j with flags %i answers %i and stores %s",
    async (text, flags, consumed, value) => {
      const machine = await Machine.create();
      expect(parse(machine, "strtoul", text, flags)).toEqual([consumed, value]);
    },
  );
});

describe("bpf_strncmp", () => {
  it.each([
    ["same", 4, "same", 0],
    ["abc", 3, "abd", -1],
    ["abd", 3, "abc", 1],
    ["abc\0x", 5, "abc\0y", 0],
    ["abcX", 3, "abcY", 0],
    ["\xff", 1, "a", 1],
    ["", 0, "a", 0],
  ] as const)("of %j over %i bytes with %j is %i", async (first, size, second, expected) => {
    const machine = await Machine.create();
    const memory = (text: string): number =>
      machine.memory(Uint8Array.from(`${text}\0`, (c) => c.charCodeAt(0)));
    expect(machine.call("strncmp", memory(first), size, memory(second))).toBe(expected);
  });

  it("faults where the second string runs off readable memory", async () => {
    const machine = await Machine.create();
    const first = machine.memory("aaaaaaaa");
    const second = machine.memory("aaaa");
    expect(() => machine.call("strncmp", first, 8, second)).toThrow(/may not read/);
  });
});
