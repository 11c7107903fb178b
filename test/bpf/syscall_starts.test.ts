/** The system call collector's memory of where each thread is: one entry a thread, for call after call. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CollectorMachine, openCollector } from "../support/collector_machine.ts";

const DURATION_UNKNOWN = 1;

let machine: CollectorMachine;
beforeEach(async () => {
  machine = await openCollector("syscall_monitor", { maxEntries: { syscall_starts: 128 } });
});
afterEach(() => machine.close());

const becomeThread = (tid: number): void => machine.becomeThread(tid);

const enter = (time_ns: number, id: number): void =>
  machine.run(time_ns, "syscall_enter", "trace_event_raw_sys_enter", { id });

/** The latency that the event says, or undefined where it says that it is unknown. */
function exit(time_ns: number, id: number): number | undefined {
  machine.run(time_ns, "syscall_exit", "trace_event_raw_sys_exit", { id, ret: 0 });
  const events = machine.events<{ header: { flags: number }; latency_ns: number }>("syscall_event");
  expect(events).toHaveLength(1);
  const [event] = events as [(typeof events)[0]];
  if ((event.header.flags & DURATION_UNKNOWN) === 0) return Number(event.latency_ns);
  expect(Number(event.latency_ns)).toBe(0);
  return undefined;
}

function keys(): number[] {
  const found: number[] = [];
  const starts = machine.map("syscall_starts");
  const next = new Uint8Array(4);
  for (let key: Uint8Array | null = null; starts.nextKey(key, next); key = next.slice()) {
    found.push(new DataView(next.buffer).getUint32(0, true));
  }
  return found.sort((a, b) => a - b);
}

const keyOf = (tid: number): Uint8Array => new Uint8Array(Uint32Array.of(tid).buffer);

// 0 is no thread that makes calls, and yet one that a program may run in.
describe.each([1, 0, 0x7fffffff])("thread %i", (tid) => {
  beforeEach(() => becomeThread(tid));

  it("has the latency of each call, in one entry", () => {
    for (const [entered, left, id] of [
      [1000, 1300, 5],
      [2000, 2001, 6],
      [3000, 9000, 5],
    ] as const) {
      enter(entered, id);
      expect(exit(left, id)).toBe(left - entered);
      expect(keys()).toEqual([tid]);
    }
  });

  it("has no latency at a second exit", () => {
    enter(1000, 5);
    expect(exit(1300, 5)).toBe(300);
    expect(exit(1400, 5)).toBeUndefined();
    enter(2000, 5);
    expect(exit(2002, 5)).toBe(2);
  });

  it("has no latency at the exit from another call, nor after it", () => {
    enter(1000, 5);
    expect(exit(1300, 15)).toBeUndefined();
    expect(exit(1400, 5)).toBeUndefined();
  });

  it("has the later of two enters", () => {
    enter(1000, 5);
    enter(1200, 5);
    expect(exit(1300, 5)).toBe(100);
  });

  it("has no latency where it had not entered", () => {
    expect(exit(1300, 5)).toBeUndefined();
    expect(keys()).toEqual([]);
  });

  // Words of the entry: time, number, check. Whichever of them the other thread's stores came last to.
  it.each([0, 1, 2, 3, 4, 5, 6, 7])("takes no latency from another thread's words %i", (words) => {
    const starts = machine.map("syscall_starts");
    const [own, others] = [0, 0].map(() => new BigUint64Array(starts.spec.valueSize / 8));
    becomeThread(77);
    enter(1000, 5);
    expect(starts.lookup(keyOf(77), new Uint8Array(others!.buffer))).toBe(true);
    becomeThread(tid);
    enter(1200, 5);
    expect(starts.lookup(keyOf(tid), new Uint8Array(own!.buffer))).toBe(true);
    expect(own).toHaveLength(3);
    const mixed = own!.map((word, i) => ((words >> i) & 1 ? others![i]! : word));
    starts.update(keyOf(tid), new Uint8Array(mixed.buffer));
    // The number is the same call's.
    expect(exit(1300, 5)).toBe((words & 5) === 0 ? 100 : undefined);
    enter(1400, 5);
    expect(exit(1500, 5)).toBe(100);
  });
});

it("threads are apart from each other", () => {
  const tids = Array.from({ length: 50 }, (_, index) => 100 + index);
  for (const tid of tids) {
    becomeThread(tid);
    enter(1000 + tid, 5);
  }
  for (const tid of tids) {
    becomeThread(tid);
    expect(exit(5000, 5)).toBe(5000 - 1000 - tid);
  }
  expect(keys()).toEqual(tids);
});

it("threads that ended make room, those that make calls stay", () => {
  becomeThread(1);
  enter(1000, 5);
  for (let tid = 2; tid < 1000; tid++) {
    becomeThread(1);
    expect(exit(1001, 5)).toBe(1);
    enter(1000, 5);
    becomeThread(tid);
    enter(1000, 60);
  }
  expect(keys().length).toBeLessThanOrEqual(128);
  becomeThread(1);
  expect(exit(1500, 5)).toBe(500);
});
