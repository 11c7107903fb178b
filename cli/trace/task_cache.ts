/** The writer's task for a record, found without making strings or objects per record. */

import { COMM_BYTES, taskFacts } from "#core/trace/task_facts.ts";
import type { TraceTask } from "#core/trace/task_slots.ts";
import type { TraceWriter } from "#core/trace/writer.ts";
import { RECORD } from "./import_record.ts";

/** Tasks remembered; above that all are forgotten, which costs their definition again. */
const TASKS_MAX = 65_536;
/** Variants of one thread remembered: names, cgroups. */
const VARIANTS_MAX = 8;

interface CachedTask {
  /** The record's bytes from pid to comm. */
  readonly key: Uint8Array;
  readonly task: TraceTask;
}

export class TaskCache {
  readonly #writer: TraceWriter;
  readonly #byTid = new Map<number, CachedTask[]>();
  #size = 0;

  constructor(writer: TraceWriter) {
    this.#writer = writer;
  }

  /** The task that the record names; equal facts give the same task as long as it is remembered. */
  find(record: Uint8Array, tid: number): TraceTask {
    const variants = this.#byTid.get(tid);
    if (variants !== undefined) {
      for (const variant of variants) if (matches(variant.key, record)) return variant.task;
    }
    return this.#add(record, tid, variants ?? []);
  }

  #add(record: Uint8Array, tid: number, variants: CachedTask[]): TraceTask {
    if (this.#size === TASKS_MAX) {
      this.#byTid.clear();
      this.#size = 0;
      variants.length = 0;
    }
    if (variants.length === VARIANTS_MAX) {
      variants.shift();
      this.#size--;
    }
    const view = new DataView(record.buffer, record.byteOffset, record.length);
    const task = this.#writer.task(
      taskFacts({
        pid: view.getUint32(RECORD.pid, true),
        tid,
        cgroup_id: view.getBigUint64(RECORD.cgroup_id, true),
        comm: record.slice(RECORD.comm, RECORD.comm + COMM_BYTES),
      }),
    );
    variants.push({ key: record.slice(RECORD.task, RECORD.context), task });
    this.#byTid.set(tid, variants);
    this.#size++;
    return task;
  }
}

function matches(key: Uint8Array, record: Uint8Array): boolean {
  for (let i = 0; i < key.length; i++) if (key[i] !== record[RECORD.task + i]) return false;
  return true;
}
