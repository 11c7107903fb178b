/** What a trace knows about a task, and its 88 bytes in a task block. */

/** Namespace ids: inode numbers, as `/proc/PID/ns` shows them. */
export interface TaskNamespaces {
  readonly pid: number;
  readonly net: number;
  readonly mnt: number;
  readonly uts: number;
  readonly ipc: number;
  readonly cgroup: number;
  readonly user: number;
}

/**
 * One task (thread) as helpers see it. All ids are those of the initial namespaces; a fact that
 * was not recorded (see the schema's `taskFacts`) is 0.
 */
export interface TaskFacts {
  /** Thread group: what user space calls the process id. */
  readonly pid: number;
  readonly tid: number;
  readonly parent_pid: number;
  readonly uid: number;
  readonly gid: number;
  /** Id in the cgroup v2 hierarchy. */
  readonly cgroup_id: bigint;
  /** On CLOCK_MONOTONIC. */
  readonly start_ns: bigint;
  readonly namespaces: TaskNamespaces;
  /** 16 bytes, filled up with NULs. Bytes and not text, for a process may put anything there. */
  readonly comm: Uint8Array;
}

export const COMM_BYTES = 16;
export const TASK_RECORD_BYTES = 88;

const OFFSET = {
  slot: 0,
  pid: 4,
  tid: 8,
  parent_pid: 12,
  uid: 16,
  gid: 20,
  cgroup_id: 24,
  start_ns: 32,
  namespaces: 40,
  reserved: 68,
  comm: 72,
} as const;

const NAMESPACES = ["pid", "net", "mnt", "uts", "ipc", "cgroup", "user"] as const;

const NO_NAMESPACES: TaskNamespaces = {
  pid: 0,
  net: 0,
  mnt: 0,
  uts: 0,
  ipc: 0,
  cgroup: 0,
  user: 0,
};

/** Facts with zeros for everything that is not given. */
export function taskFacts(known: Partial<TaskFacts>): TaskFacts {
  return {
    pid: 0,
    tid: 0,
    parent_pid: 0,
    uid: 0,
    gid: 0,
    cgroup_id: 0n,
    start_ns: 0n,
    namespaces: NO_NAMESPACES,
    comm: new Uint8Array(COMM_BYTES),
    ...known,
  };
}

/** A command name as 16 bytes; what does not fit is cut, as the kernel does (15 bytes and a NUL). */
export function commBytes(name: string): Uint8Array {
  const comm = new Uint8Array(COMM_BYTES);
  comm.set(new TextEncoder().encode(name).subarray(0, COMM_BYTES - 1));
  return comm;
}

/** A command name as text, for people: bytes that are not UTF-8 become U+FFFD. */
export function commText(comm: Uint8Array): string {
  const end = comm.indexOf(0);
  return new TextDecoder().decode(end < 0 ? comm : comm.subarray(0, end));
}

/** Writes `TASK_RECORD_BYTES` bytes at `offset`; `bytes` and `view` cover the same memory. */
export function encodeTask(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  slot: number,
  facts: TaskFacts,
): void {
  view.setUint32(offset + OFFSET.slot, slot, true);
  view.setUint32(offset + OFFSET.pid, facts.pid, true);
  view.setUint32(offset + OFFSET.tid, facts.tid, true);
  view.setUint32(offset + OFFSET.parent_pid, facts.parent_pid, true);
  view.setUint32(offset + OFFSET.uid, facts.uid, true);
  view.setUint32(offset + OFFSET.gid, facts.gid, true);
  view.setBigUint64(offset + OFFSET.cgroup_id, facts.cgroup_id, true);
  view.setBigUint64(offset + OFFSET.start_ns, facts.start_ns, true);
  for (let i = 0; i < NAMESPACES.length; i++) {
    view.setUint32(offset + OFFSET.namespaces + 4 * i, facts.namespaces[NAMESPACES[i]!], true);
  }
  view.setUint32(offset + OFFSET.reserved, 0, true);
  bytes.fill(0, offset + OFFSET.comm, offset + TASK_RECORD_BYTES);
  bytes.set(facts.comm.subarray(0, COMM_BYTES), offset + OFFSET.comm);
}

/** A definition read from a task block: from here on, `slot` means these facts. */
export interface TaskDefinition {
  readonly slot: number;
  readonly facts: TaskFacts;
}

/** Reads the record at `offset`; the result owns its bytes. Null where the record is malformed. */
export function decodeTask(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
): TaskDefinition | null {
  const slot = view.getUint32(offset + OFFSET.slot, true);
  if (slot > 0xffff || view.getUint32(offset + OFFSET.reserved, true) !== 0) return null;
  const namespace = (index: number): number =>
    view.getUint32(offset + OFFSET.namespaces + 4 * index, true);
  const facts: TaskFacts = {
    pid: view.getUint32(offset + OFFSET.pid, true),
    tid: view.getUint32(offset + OFFSET.tid, true),
    parent_pid: view.getUint32(offset + OFFSET.parent_pid, true),
    uid: view.getUint32(offset + OFFSET.uid, true),
    gid: view.getUint32(offset + OFFSET.gid, true),
    cgroup_id: view.getBigUint64(offset + OFFSET.cgroup_id, true),
    start_ns: view.getBigUint64(offset + OFFSET.start_ns, true),
    namespaces: {
      pid: namespace(0),
      net: namespace(1),
      mnt: namespace(2),
      uts: namespace(3),
      ipc: namespace(4),
      cgroup: namespace(5),
      user: namespace(6),
    },
    comm: bytes.slice(offset + OFFSET.comm, offset + TASK_RECORD_BYTES),
  };
  return { slot, facts };
}
