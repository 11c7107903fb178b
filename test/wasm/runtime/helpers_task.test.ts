import { describe, expect, it } from "vitest";
import { MAP_FLAG, MAP_TYPE } from "#core/backend.ts";
import { Machine } from "../../support/machine.ts";

const EINVAL = -22;

/** Writes a task into a fresh slot and makes CPU 0 run it. */
function runTask(machine: Machine, words: readonly number[], comm: string): number {
  const { exports, u32, u8, view } = machine.instance;
  const address = exports.rt_task_address(10);
  u32.set(words, address / 4);
  view.setBigUint64(address + 64, 0x1000n, true);
  u8.set(new TextEncoder().encode(comm), address + 88);
  u32[exports.rt_current_tasks_address() / 4] = 10;
  return address;
}

const PID = 4242;
const TID = 4243;
const TASK = [PID, TID, 1000, 1001, 1, 5, 6, 0xf000_0001, 2, 3, 4, 5, 6, 7, 8, 9];

describe("the current task", () => {
  it("is the idle task until the host says otherwise", async () => {
    const machine = await Machine.create();
    const to = machine.memory(16);
    expect(machine.call("get_current_pid_tgid")).toBe(0);
    expect(machine.call("get_current_comm", to, 16)).toBe(0);
    expect(machine.text(to)).toBe("swapper/0");
    expect(machine.call("get_current_cgroup_id")).toBe(1);
  });

  it("has the ids of its slot", async () => {
    const machine = await Machine.create();
    runTask(machine, TASK, "collector");
    expect(machine.call64("get_current_pid_tgid")).toBe((BigInt(PID) << 32n) | BigInt(TID));
    expect(machine.call64("get_current_uid_gid")).toBe((1001n << 32n) | 1000n);
    expect(machine.call("get_current_task")).toBe(0x1000);
  });

  it.each([
    [16, "a-name-of-15-by"],
    [8, "a-name-"],
    [1, ""],
  ])("fits its name into %i bytes with a NUL and clears the rest", async (size, expected) => {
    const machine = await Machine.create();
    runTask(machine, TASK, "a-name-of-15-by");
    const to = machine.memory(new Uint8Array(24).fill(0xff));
    expect(machine.call("get_current_comm", to, size)).toBe(0);
    expect(machine.text(to)).toBe(expected);
    expect([...machine.bytes(to + size, 24 - size)]).toEqual(new Array(24 - size).fill(0xff));
  });

  it("is numbered by its own PID namespace only for that namespace", async () => {
    const machine = await Machine.create();
    runTask(machine, TASK, "x");
    const to = machine.memory(new Uint8Array(8).fill(0xff));
    expect(machine.call("get_ns_current_pid_tgid", 9, 0xf000_0001, to, 8)).toBe(0);
    expect([...new Uint32Array(machine.bytes(to, 8).buffer)]).toEqual([6, 5]);
    for (const [device, inode] of [
      [8, 0xf000_0001],
      [9, 2],
      [2 ** 32 + 9, 0xf000_0001],
    ] as const) {
      expect(machine.call("get_ns_current_pid_tgid", device, inode, to, 8)).toBe(EINVAL);
      expect(machine.bytes(to, 8)).toEqual(new Uint8Array(8));
    }
    expect(machine.call("get_ns_current_pid_tgid", 9, 0xf000_0001, to, 4)).toBe(EINVAL);
  });

  it("names its cgroup and the cgroups above, 0 beyond its own level", async () => {
    const machine = await Machine.create();
    const address = runTask(machine, TASK, "x");
    machine.instance.u32[(address + 104) / 4] = 2;
    [1n, 77n, 0x1_0000_0005n].forEach((id, level) => {
      machine.instance.view.setBigUint64(address + 112 + 8 * level, id, true);
    });
    expect(machine.call64("get_current_cgroup_id")).toBe(0x1_0000_0005n);
    const ancestor = (level: number): bigint =>
      machine.call64("get_current_ancestor_cgroup_id", level);
    expect([0, 1, 2, 3, 15, 16, -1].map(ancestor)).toEqual([
      1n,
      77n,
      0x1_0000_0005n,
      0n,
      0n,
      0n,
      0n,
    ]);
  });

  it("faults on a destination that ends before the size given", async () => {
    const machine = await Machine.create();
    const to = machine.memory(15);
    expect(() => machine.call("get_current_comm", to, 16)).toThrow(/may not write/);
  });
});

describe.each([
  ["task", MAP_TYPE.task_storage],
  ["cgrp", MAP_TYPE.cgrp_storage],
] as const)("%s storage", (kind, type) => {
  const CREATE = 1;
  const ENOENT = -2;
  const OWNER = 0x1000;

  async function withStorage() {
    const machine = await Machine.create();
    runTask(machine, TASK, "owner");
    const { NO_PREALLOC: flags } = MAP_FLAG;
    const shape = { type, keySize: 4, valueSize: 8, maxEntries: 0, flags, typed: true };
    const { address } = machine.createMap(shape);
    const get = (owner: number, value: number, flags: number): number =>
      machine.call(`${kind}_storage_get`, address, owner, value, flags);
    const remove = (owner: number): number =>
      machine.call(`${kind}_storage_delete`, address, owner);
    return { machine, get, remove };
  }

  it("is created with the value given, or zeroes, and only on demand", async () => {
    const { machine, get } = await withStorage();
    expect(get(OWNER, 0, 0)).toBe(0);
    const value = get(OWNER, machine.memory("initial!"), CREATE);
    expect(new TextDecoder().decode(machine.bytes(value, 8))).toBe("initial!");
    expect(get(OWNER, 0, 0)).toBe(value);
    expect(get(OWNER, machine.memory("another!"), CREATE)).toBe(value);
    expect(new TextDecoder().decode(machine.bytes(value, 8))).toBe("initial!");
  });

  it("starts as zeroes without an initial value", async () => {
    const { machine, get } = await withStorage();
    expect(machine.bytes(get(OWNER, 0, CREATE), 8)).toEqual(new Uint8Array(8));
  });

  it("refuses unknown flags and no owner", async () => {
    const { get } = await withStorage();
    expect(get(OWNER, 0, CREATE | 2)).toBe(0);
    expect(get(0, 0, CREATE)).toBe(0);
  });

  it("is gone once deleted", async () => {
    const { get, remove } = await withStorage();
    expect(remove(OWNER)).toBe(ENOENT);
    get(OWNER, 0, CREATE);
    expect(remove(OWNER)).toBe(0);
    expect(get(OWNER, 0, 0)).toBe(0);
  });

  it("faults for a map of another type", async () => {
    const { machine } = await withStorage();
    const { hash } = MAP_TYPE;
    const map = machine.createMap({ type: hash, keySize: 8, valueSize: 8, maxEntries: 1 });
    expect(() => machine.call(`${kind}_storage_get`, map.address, OWNER, 0, 0)).toThrow(
      /wrong kind/,
    );
  });
});
