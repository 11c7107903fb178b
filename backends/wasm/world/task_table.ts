/**
 * Tasks of the simulated kernel: the facts that helpers answer with, and the `task_struct` with what
 * hangs on it, laid out in kernel memory by the simulated kernel's BTF for programs that read it
 * through CO-RE.
 */
import type { Btf } from "#core/btf/btf.ts";
import { type Codec, createCodec } from "#core/btf/codec.ts";
import { findType } from "#core/btf/queries.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import { COMM_BYTES, type TaskFacts } from "#core/trace/task_facts.ts";
import type { RuntimeInstance } from "../instance.ts";

/** Namespaces of one kind that may exist at once; a trace that has more is refused. */
const NAMESPACES_MAX = 65_536;

type NamespaceKind = "pid" | "net" | "mnt" | "uts" | "ipc" | "cgroup" | "user";

/** Addresses of the objects that belong to one task slot. */
interface TaskObjects {
  readonly task: number;
  readonly pid: number;
  readonly namespaces: number;
  readonly credentials: number;
}

export class TaskTable {
  readonly #instance: RuntimeInstance;
  readonly #task: Codec;
  readonly #pid: Codec;
  readonly #nsproxy: Codec;
  readonly #credentials: Codec;
  readonly #namespaceCodecs: Readonly<Record<NamespaceKind, Codec>>;
  readonly #namespaces = new Map<string, number>();
  readonly #slots = new Map<number, TaskObjects>();
  /** Where a command name passes to the runtime. */
  readonly #comm: number;

  constructor(instance: RuntimeInstance, kernel: Btf) {
    const codec = (name: string): Codec => createCodec(kernel, structId(kernel, name));
    this.#instance = instance;
    this.#comm = instance.alloc(COMM_BYTES);
    this.#task = codec("task_struct");
    this.#pid = codec("pid");
    this.#nsproxy = codec("nsproxy");
    this.#credentials = codec("cred");
    this.#namespaceCodecs = {
      pid: codec("pid_namespace"),
      net: codec("net"),
      mnt: codec("mnt_namespace"),
      uts: codec("uts_namespace"),
      ipc: codec("ipc_namespace"),
      cgroup: codec("cgroup_namespace"),
      user: codec("user_namespace"),
    };
  }

  /** From here on `slot` is this task. */
  define(slot: number, facts: TaskFacts): void {
    const objects = this.#objects(slot);
    const inums = facts.namespaces;
    const address = (kind: NamespaceKind): bigint => BigInt(this.#namespace(kind, inums[kind]));
    const pidNamespace = address("pid");
    this.#write(this.#nsproxy, objects.namespaces, {
      count: 1,
      uts_ns: address("uts"),
      ipc_ns: address("ipc"),
      mnt_ns: address("mnt"),
      pid_ns_for_children: pidNamespace,
      net_ns: address("net"),
      cgroup_ns: address("cgroup"),
    });
    this.#write(this.#credentials, objects.credentials, {
      usage: 1,
      uid: facts.uid,
      gid: facts.gid,
      user_ns: address("user"),
    });
    this.#write(this.#pid, objects.pid, {
      count: 1,
      level: 0,
      numbers: [{ nr: facts.tid, ns: pidNamespace }],
    });
    this.#write(this.#task, objects.task, {
      pid: facts.tid,
      tgid: facts.pid,
      thread_pid: BigInt(objects.pid),
      start_time: facts.start_ns,
      start_boottime: facts.start_ns,
      cred: BigInt(objects.credentials),
      comm: facts.comm,
      nsproxy: BigInt(objects.namespaces),
    });
    this.#defineFacts(slot, facts, objects.task);
  }

  /** The part that helpers answer from. */
  #defineFacts(slot: number, facts: TaskFacts, address: number): void {
    const { exports, u8 } = this.#instance;
    const { pid, tid, parent_pid, uid, gid, cgroup_id, start_ns, namespaces } = facts;
    const runtimeSlot = exports.task_first_slot() + slot;
    const low = (value: bigint): number => Number(BigInt.asUintN(32, value)) | 0;
    const cgroup = [low(cgroup_id), low(cgroup_id >> 32n)] as const;
    const start = [low(start_ns), low(start_ns >> 32n)] as const;
    u8.set(facts.comm, this.#comm);
    const defined = exports.task_define(
      runtimeSlot,
      pid,
      tid,
      parent_pid,
      uid,
      gid,
      ...cgroup,
      ...start,
      address,
      this.#comm,
    );
    const { net, mnt, uts, ipc, user } = namespaces;
    const ids = [namespaces.pid, net, mnt, uts, ipc, namespaces.cgroup, user] as const;
    if (defined < 0 || exports.task_set_namespaces(runtimeSlot, ...ids) < 0) {
      throw this.#outOfMemory();
    }
  }

  #objects(slot: number): TaskObjects {
    const known = this.#slots.get(slot);
    if (known !== undefined) return known;
    const objects = {
      task: this.#allocate(this.#task.size),
      pid: this.#allocate(this.#pid.size),
      namespaces: this.#allocate(this.#nsproxy.size),
      credentials: this.#allocate(this.#credentials.size),
    };
    this.#slots.set(slot, objects);
    return objects;
  }

  #namespace(kind: NamespaceKind, inum: number): number {
    const key = `${kind}:${inum}`;
    const known = this.#namespaces.get(key);
    if (known !== undefined) return known;
    if (this.#namespaces.size === NAMESPACES_MAX) {
      throw new BpfError("define task", `more than ${NAMESPACES_MAX} namespaces`, {
        errno: ERRNO.ENOSPC,
      });
    }
    const codec = this.#namespaceCodecs[kind];
    const address = this.#allocate(codec.size);
    this.#write(codec, address, { ns: { inum } });
    this.#namespaces.set(key, address);
    return address;
  }

  #allocate(size: number): number {
    const address = this.#instance.exports.rt_kernel_alloc(size);
    if (address === 0) throw this.#outOfMemory();
    return address;
  }

  #outOfMemory(): BpfError {
    return new BpfError("define task", "the simulated machine has no memory left for tasks", {
      errno: ERRNO.ENOMEM,
      hint: "create the backend with more memoryBytes",
    });
  }

  #write(codec: Codec, address: number, value: Record<string, unknown>): void {
    codec.encode(value, this.#instance.u8, address);
  }
}

function structId(kernel: Btf, name: string): number {
  const id = findType(kernel, name, "struct");
  if (id !== undefined) return id;
  throw new BpfError("simulated kernel", `its types lack struct ${name}`, {
    hint: "rebuild with npm run setup",
  });
}
