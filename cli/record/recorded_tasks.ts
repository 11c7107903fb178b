/** The trace's task for a recorded event, found without making objects per event. */
import type { Btf } from "#core/btf/btf.ts";
import { fieldReader, fieldReaderPair, type NumberReader } from "#core/btf/fields.ts";
import { findField } from "#core/btf/find_field.ts";
import { layoutOf } from "#core/btf/layout.ts";
import { findType } from "#core/btf/queries.ts";
import { BpfError } from "#core/errors.ts";
import { type TaskFacts, taskFacts } from "#core/trace/task_facts.ts";
import type { TraceTask } from "#core/trace/task_slots.ts";
import type { TraceWriter } from "#core/trace/writer.ts";

/** Threads remembered; above that all are forgotten, which costs their definition again. */
const TASKS_MAX = 65_536;

interface KnownTask {
  /** The event's bytes from the task's first to its last. */
  readonly key: Uint8Array;
  readonly task: TraceTask;
}

/** How `struct recorded_event` is laid out. */
export interface RecordedLayout {
  /** Offset of the context. */
  readonly context: number;
  readonly task: number;
  readonly taskBytes: number;
  readonly tid: NumberReader;
  facts(view: DataView, bytes: Uint8Array): TaskFacts;
}

export function recordedLayout(btf: Btf): RecordedLayout {
  const id = findType(btf, "recorded_event", "struct");
  if (id === undefined) {
    throw new BpfError("record", "record.bpf.o declares no struct recorded_event", {
      hint: "run npm run setup",
    });
  }
  const layout = layoutOf(btf, id);
  const task = findField(layout, "task");
  const command = findField(layout, "task.command");
  const number = (name: string): NumberReader => fieldReader(layout, `task.${name}`);
  const wide = (name: string) => {
    const { low, high } = fieldReaderPair(layout, `task.${name}`);
    return (view: DataView): bigint => (BigInt(high(view, 0)) << 32n) | BigInt(low(view, 0));
  };
  const numbers = {
    pid: number("pid"),
    tid: number("tid"),
    parent_pid: number("parent_pid"),
    uid: number("uid"),
    gid: number("gid"),
  };
  const namespaces = {
    pid: number("pid_namespace"),
    net: number("net_namespace"),
    mnt: number("mnt_namespace"),
    uts: number("uts_namespace"),
    ipc: number("ipc_namespace"),
    cgroup: number("cgroup_namespace"),
    user: number("user_namespace"),
  };
  const cgroup = wide("cgroup_id");
  const start = wide("start_ns");
  return {
    context: findField(layout, "context").offset,
    task: task.offset,
    taskBytes: task.size,
    tid: numbers.tid,
    facts: (view, bytes) =>
      taskFacts({
        ...readAll(numbers, view),
        cgroup_id: cgroup(view),
        start_ns: start(view),
        namespaces: readAll(namespaces, view),
        comm: bytes.slice(command.offset, command.offset + command.size),
      }),
  };
}

function readAll<Name extends string>(
  readers: Readonly<Record<Name, NumberReader>>,
  view: DataView,
): Record<Name, number> {
  const values = {} as Record<Name, number>;
  for (const name of Object.keys(readers) as Name[]) values[name] = readers[name](view, 0);
  return values;
}

export class RecordedTasks {
  readonly #writer: TraceWriter;
  readonly #layout: RecordedLayout;
  readonly #known = new Map<number, KnownTask>();

  constructor(writer: TraceWriter, layout: RecordedLayout) {
    this.#writer = writer;
    this.#layout = layout;
  }

  /** The task of the event at the start of `bytes`; `view` covers the same memory. */
  find(bytes: Uint8Array, view: DataView): TraceTask {
    const tid = this.#layout.tid(view, 0);
    const known = this.#known.get(tid);
    if (known !== undefined && this.#same(known.key, bytes)) return known.task;
    const { task: start, taskBytes } = this.#layout;
    const task = this.#writer.task(this.#layout.facts(view, bytes));
    if (this.#known.size >= TASKS_MAX) this.#known.clear();
    this.#known.set(tid, { key: bytes.slice(start, start + taskBytes), task });
    return task;
  }

  #same(key: Uint8Array, bytes: Uint8Array): boolean {
    const { task, taskBytes } = this.#layout;
    for (let i = 0; i < taskBytes; i++) if (key[i] !== bytes[task + i]) return false;
    return true;
  }
}
