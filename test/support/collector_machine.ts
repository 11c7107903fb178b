/** A collector on the simulated kernel, whose hooks a test calls one by one. */
import { readArtifact } from "#cli/artifacts.ts";
import type { BpfMap, BpfObject, OpenOptions } from "#core/backend.ts";
import { createCodec } from "#core/btf/codec.ts";
import { findType } from "#core/btf/queries.ts";
import { COMM_BYTES } from "#core/trace/task_facts.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";

const NAMESPACES = { pid: 1, net: 1, mnt: 1, uts: 1, ipc: 1, cgroup: 1, user: 1 };

export class CollectorMachine {
  readonly backend: WasmBackend;
  readonly object: BpfObject;

  /** Use `openCollector`. */
  constructor(backend: WasmBackend, object: BpfObject) {
    this.backend = backend;
    this.object = object;
  }

  map(name: string): BpfMap {
    return this.object.maps.get(name)!;
  }

  /** The thread that runs from here on. */
  becomeThread(tid: number, pid = tid): void {
    this.backend.tasks.define(0, {
      pid,
      tid,
      parent_pid: 1,
      uid: 0,
      gid: 0,
      cgroup_id: 1n,
      start_ns: 0n,
      namespaces: NAMESPACES,
      comm: new Uint8Array(COMM_BYTES),
    });
    const { exports, view } = this.backend.instance;
    view.setUint32(exports.rt_current_tasks_address(), exports.task_first_slot(), true);
  }

  /** Runs a program at a time on a context of that struct. */
  run(time_ns: number, program: string, struct: string, fields: object): void {
    const { instance, kernelBtf } = this.backend;
    instance.view.setBigUint64(instance.exports.rt_clock_address(), BigInt(time_ns), true);
    const context = createCodec(kernelBtf, findType(kernelBtf, struct, "struct")!);
    const bytes = new Uint8Array(context.size);
    context.encode(fields, bytes);
    this.object.programs.get(program)!.run(bytes);
  }

  /** What waits in the ring, as values of that struct; takes it out. */
  events<T>(struct: string): T[] {
    const btf = this.object.btf!;
    const codec = createCodec(btf, findType(btf, struct, "struct")!);
    const events: T[] = [];
    this.map("events")
      .ring()
      .consume(({ buffer, offsets, count }) => {
        for (let i = 0; i < count; i++) {
          const start = offsets[i]!;
          events.push(codec.decode(buffer.subarray(start, start + codec.size)) as T);
        }
      });
    return events;
  }

  close(): void {
    this.backend.close();
  }
}

/** Opens and loads a shipped object on a machine with one CPU. */
export async function openCollector(
  name: string,
  options: OpenOptions = {},
): Promise<CollectorMachine> {
  const backend = await createWasmBackend({
    runtime: readArtifact("wasm/runtime.wasm"),
    kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
    cpus: 1,
  });
  const object = backend.open(readArtifact(`bpf/${name}.bpf.o`), options);
  object.load();
  return new CollectorMachine(backend, object);
}
