/**
 * The collectors there are, as data: which object, which maps, which events. Everything else about
 * them (offsets, sizes, numbers) comes from the object's BTF.
 */

export interface ProgramSpec {
  /** Name of the BPF function, in the object and in reports. */
  readonly name: string;
  /** Enumerator that numbers the program's slot in the statistics map. */
  readonly index: string;
}

export interface EventSpec {
  /** Name in reports, exports and files. */
  readonly name: string;
  /** Enumerator of `enum event_type`. */
  readonly type: string;
  /** C structure of the record. */
  readonly struct: string;
  /** Its field that says how long the operation took, in ns; 0 with EVENT_DURATION_UNKNOWN. */
  readonly latency: string;
}

export interface CollectorSpec {
  readonly name: string;
  /** File name of the compiled object. */
  readonly object: string;
  readonly ring: string;
  readonly statistics: string;
  readonly programs: readonly ProgramSpec[];
  readonly events: readonly EventSpec[];
}

const TCP: CollectorSpec = {
  name: "tcp",
  object: "tcp_monitor.bpf.o",
  ring: "events",
  statistics: "probe_stats",
  programs: [
    { name: "tcp_state", index: "PROGRAM_TCP_STATE" },
    { name: "tcp_retransmit", index: "PROGRAM_TCP_RETRANSMIT" },
  ],
  events: [
    { name: "tcp_state", type: "EVENT_TCP_STATE", struct: "tcp_event", latency: "duration_ns" },
    {
      name: "tcp_connect_failed",
      type: "EVENT_TCP_CONNECT_FAILED",
      struct: "tcp_event",
      latency: "duration_ns",
    },
    {
      name: "tcp_retransmit",
      type: "EVENT_TCP_RETRANSMIT",
      struct: "tcp_event",
      latency: "duration_ns",
    },
  ],
};

const SYSCALL: CollectorSpec = {
  name: "syscall",
  object: "syscall_monitor.bpf.o",
  ring: "events",
  statistics: "probe_stats",
  programs: [
    { name: "syscall_enter", index: "PROGRAM_SYSCALL_ENTER" },
    { name: "syscall_exit", index: "PROGRAM_SYSCALL_EXIT" },
  ],
  events: [
    { name: "syscall", type: "EVENT_SYSCALL", struct: "syscall_event", latency: "latency_ns" },
  ],
};

export const COLLECTORS: ReadonlyMap<string, CollectorSpec> = new Map([
  [TCP.name, TCP],
  [SYSCALL.name, SYSCALL],
]);
