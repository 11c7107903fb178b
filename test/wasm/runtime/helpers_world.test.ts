import { describe, expect, it } from "vitest";
import { Machine } from "../../support/machine.ts";

describe("clocks", () => {
  it("stand still while the host does not move them", async () => {
    const machine = await Machine.create();
    machine.setNow(123_456_789_012n);
    expect(machine.call("ktime_get_ns")).toBe(123_456_789_012);
    expect(machine.call("ktime_get_ns")).toBe(123_456_789_012);
  });

  it("advance by the tick with every reading, when there is one", async () => {
    const machine = await Machine.create();
    machine.instance.exports.rt_clock_set_tick(10);
    expect([machine.call("ktime_get_ns"), machine.call("ktime_get_ns")]).toEqual([10, 20]);
  });

  it("are apart by their offsets; the coarse one shows the last 4 ms jiffy", async () => {
    const machine = await Machine.create();
    machine.instance.exports.rt_clock_set_offsets(1000, 0, 5000, 0);
    machine.setNow(4_000_000n * 3n + 999n);
    expect(machine.call("ktime_get_boot_ns")).toBe(12_001_999);
    expect(machine.call("ktime_get_tai_ns")).toBe(12_005_999);
    expect(machine.call("ktime_get_coarse_ns")).toBe(12_000_000);
    expect(machine.call64("jiffies64")).toBe(BigInt((-300 * 250) >>> 0) + 3n);
  });
});

describe("randomness", () => {
  const draw = (machine: Machine): number[] =>
    Array.from({ length: 8 }, () => machine.call("get_prandom_u32"));

  it("repeats with the seed and differs with another", async () => {
    const machine = await Machine.create();
    const first = draw(machine);
    machine.instance.exports.rt_seed(7, 0);
    expect(draw(machine)).toEqual(first);
    machine.instance.exports.rt_seed(8, 0);
    expect(draw(machine)).not.toEqual(first);
  });

  it("is not disturbed by preemption, which draws from a stream of its own", async () => {
    const machine = await Machine.create();
    const first = draw(machine);
    machine.instance.exports.rt_seed(7, 0);
    machine.instance.exports.rt_preemption_set(3);
    for (let i = 0; i < 10; i++) machine.instance.exports.rt_preemption_random();
    expect(draw(machine)).toEqual(first);
  });

  it("is uniform: 16 bins of 1600 draws each stay within six standard deviations", async () => {
    const machine = await Machine.create();
    const bins = new Array<number>(16).fill(0);
    for (let i = 0; i < 25_600; i++) bins[machine.call("get_prandom_u32") >>> 28]!++;
    const deviation = Math.sqrt(25_600 * (1 / 16) * (15 / 16));
    for (const count of bins) expect(Math.abs(count - 1600)).toBeLessThan(6 * deviation);
  });
});

describe("CPU and attachment", () => {
  it("reports CPU 0 of node 0 outside of any run", async () => {
    const machine = await Machine.create();
    expect(machine.call("get_smp_processor_id")).toBe(0);
    expect(machine.call("get_numa_node_id")).toBe(0);
  });

  it("reports the cookie and function address that the host set", async () => {
    const machine = await Machine.create();
    const address = machine.instance.exports.rt_attachment_address();
    machine.instance.view.setBigUint64(address, 0xdead_beef_0123n, true);
    machine.instance.view.setBigUint64(address + 8, 0xffff_ffff_8123_4567n, true);
    expect(machine.call64("get_attach_cookie")).toBe(0xdead_beef_0123n);
    expect(machine.call64("get_func_ip")).toBe(0xffff_ffff_8123_4567n);
  });
});
