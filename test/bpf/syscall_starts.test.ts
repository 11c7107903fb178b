/** The system call collector's memory of where each thread is: one entry a thread, for call after call. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import type { BpfMap, BpfObject } from "#core/backend.ts";
import { createCodec } from "#core/btf/codec.ts";
import { findType } from "#core/btf/queries.ts";
import { COMM_BYTES } from "#core/trace/task_facts.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";

const DURATION_UNKNOWN = 1;

let backend: WasmBackend;
let object: BpfObject;
let starts: BpfMap;
beforeEach(async () => {
  backend = await createWasmBackend({
    runtime: readArtifact("wasm/runtime.wasm"),
    kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
    cpus: 1,
  });
  object = backend.open(readArtifact("bpf/syscall_monitor.bpf.o"), {
    maxEntries: { syscall_starts: 128 },
  });
  object.load();
  starts = object.maps.get("syscall_starts")!;
});
afterEach(() => backend.close());

/** The thread that runs from here on. */
function becomeThread(tid: number): void {
  const inums = { pid: 1, net: 1, mnt: 1, uts: 1, ipc: 1, cgroup: 1, user: 1 };
  backend.tasks.define(0, {
    pid: 7,
    tid,
    parent_pid: 1,
    uid: 0,
    gid: 0,
    cgroup_id: 1n,
    start_ns: 0n,
    namespaces: inums,
    comm: new Uint8Array(COMM_BYTES),
  });
  const { exports, view } = backend.instance;
  view.setUint32(exports.rt_current_tasks_address(), exports.task_first_slot(), true);
}

function runAt(time_ns: number, program: string, struct: string, fields: object): void {
  const { exports, view } = backend.instance;
  view.setBigUint64(exports.rt_clock_address(), BigInt(time_ns), true);
  const context = createCodec(backend.kernelBtf, findType(backend.kernelBtf, struct, "struct")!);
  const bytes = new Uint8Array(context.size);
  context.encode(fields, bytes);
  object.programs.get(program)!.run(bytes);
}

const enter = (time_ns: number, id: number): void =>
  runAt(time_ns, "syscall_enter", "trace_event_raw_sys_enter", { id });

/** The latency that the event says, or undefined where it says that it is unknown. */
function exit(time_ns: number, id: number): number | undefined {
  runAt(time_ns, "syscall_exit", "trace_event_raw_sys_exit", { id, ret: 0 });
  const struct = createCodec(object.btf!, findType(object.btf!, "syscall_event", "struct")!);
  const events: { header: { flags: number }; latency_ns: number }[] = [];
  object.maps
    .get("events")!
    .ring()
    .consume(({ buffer, offsets, count }) => {
      for (let i = 0; i < count; i++) {
        events.push(
          struct.decode(buffer.subarray(offsets[i]!, offsets[i]! + struct.size)) as never,
        );
      }
    });
  expect(events).toHaveLength(1);
  const [event] = events as [(typeof events)[0]];
  if ((event.header.flags & DURATION_UNKNOWN) === 0) return Number(event.latency_ns);
  expect(Number(event.latency_ns)).toBe(0);
  return undefined;
}

function keys(): number[] {
  const found: number[] = [];
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

  it("takes no latency from an entry under another thread's hands", () => {
    becomeThread(77);
    enter(1000, 5);
    const others = new Uint8Array(starts.spec.valueSize);
    expect(starts.lookup(keyOf(77), others)).toBe(true);
    becomeThread(tid);
    enter(1200, 5);
    starts.update(keyOf(tid), others);
    expect(exit(1300, 5)).toBeUndefined();
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
