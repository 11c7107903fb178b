import { beforeEach, expect, it } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import { createCodec } from "#core/btf/codec.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { findType } from "#core/btf/queries.ts";
import { commBytes, taskFacts } from "#core/trace/task_facts.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import { parseElf } from "#wasm/loader/elf.ts";
import { TaskTable } from "#wasm/world/task_table.ts";
import { createInstance } from "../program_fixture.ts";

const elf = parseElf(readArtifact("wasm/kernel_types.bpf.o"), "kernel types");
const kernel = parseBtf(elf.sections.find(({ name }) => name === ".BTF")!.data);
const NAMESPACES = { pid: 1, net: 2, mnt: 3, uts: 4, ipc: 5, cgroup: 6, user: 7 };
/** Offset of `kernel_address` in `struct rt_task` (task.c asserts it). */
const KERNEL_ADDRESS = 64;

let instance: RuntimeInstance;
let tasks: TaskTable;
beforeEach(async () => {
  instance = await createInstance();
  tasks = new TaskTable(instance, kernel);
});

function read(struct: string, address: bigint | number): Record<string, unknown> {
  const codec = createCodec(kernel, findType(kernel, struct, "struct")!);
  return codec.decode(instance.u8, Number(address)) as Record<string, unknown>;
}

/** The task_struct of a slot, as bpf_get_current_task would point to it. */
function taskStruct(slot: number): Record<string, unknown> {
  const { exports, view } = instance;
  const entry = exports.rt_task_address(exports.task_first_slot() + slot);
  return read("task_struct", view.getBigUint64(entry + KERNEL_ADDRESS, true));
}

it("task_struct leads to the facts as the kernel's own does", () => {
  tasks.define(
    3,
    taskFacts({ pid: 70, tid: 71, comm: commBytes("nginx"), namespaces: NAMESPACES }),
  );
  const task = taskStruct(3);
  expect(task).toMatchObject({ pid: 71, tgid: 70, comm: "nginx" });
  const pid = read("pid", task["thread_pid"] as bigint);
  const [number] = pid["numbers"] as { nr: number; ns: bigint }[];
  expect(number!.nr).toBe(71);
  expect(read("pid_namespace", number!.ns)).toMatchObject({ ns: { inum: 1 } });
  const proxy = read("nsproxy", task["nsproxy"] as bigint);
  expect(read("net", proxy["net_ns"] as bigint)).toMatchObject({ ns: { inum: 2 } });
  expect(read("mnt_namespace", proxy["mnt_ns"] as bigint)).toMatchObject({ ns: { inum: 3 } });
});

it("tasks of one namespace share it; kinds do not mix even where numbers are equal", () => {
  const same = { ...NAMESPACES, mnt: 2 };
  for (const slot of [0, 1]) tasks.define(slot, taskFacts({ tid: slot + 1, namespaces: same }));
  const [first, second] = [0, 1].map((slot) =>
    read("nsproxy", taskStruct(slot)["nsproxy"] as bigint),
  );
  expect(second!["net_ns"]).toBe(first!["net_ns"]);
  expect(first!["mnt_ns"]).not.toBe(first!["net_ns"]);
});

it("a slot defined again is the new task, without taking memory again", () => {
  tasks.define(5, taskFacts({ pid: 1, tid: 1, namespaces: NAMESPACES }));
  const used = instance.exports.rt_memory_used();
  for (let tid = 2; tid < 50; tid++) {
    tasks.define(5, taskFacts({ pid: tid, tid, namespaces: NAMESPACES }));
  }
  expect(taskStruct(5)).toMatchObject({ pid: 49, tgid: 49 });
  expect(instance.exports.rt_memory_used()).toBe(used);
});

it("a machine without memory for another task says so", () => {
  const define = () => {
    for (let slot = 0; ; slot++) tasks.define(slot, taskFacts({ tid: slot + 1 }));
  };
  expect(define).toThrow(
    /no memory left for tasks \(ENOMEM\); create the backend with more memory/,
  );
});
