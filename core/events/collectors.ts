/**
 * The collectors there are, as data: which object, which maps, which events. Everything else about
 * them (offsets, sizes, numbers) comes from the object's BTF.
 */
import type { BpfObject, Program, ProgramKind } from "../backend.ts";

/** A way to observe what a program is about: a variant of it, of the same events. */
export interface HookSpec {
  /** How it attaches, as the function's section says. */
  readonly kind: ProgramKind;
  /** Name of the BPF function. */
  readonly function: string;
  /** First kernel on which it sees each event once; older ones may take it and are not asked to. */
  readonly minKernel?: string;
}

export interface ProgramSpec {
  /** Name in reports, and of the BPF function that loads by itself. */
  readonly name: string;
  /** Enumerator that numbers the program's slot in the statistics map. */
  readonly index: string;
  /** The best first. A real kernel runs the first that it takes, the simulated one the function `name`. */
  readonly hooks: readonly HookSpec[];
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

/**
 * A program of three variants at one tracepoint. What a kernel does for each event grows from the first to the last: the
 * arguments as they are, with types or without, or an event that is filled in for every program of the machine
 * (docs/decisions/015-hook-order.md). `directFrom` is the first kernel on which the first two run once at a time.
 */
function atTracepoint(name: string, index: string, directFrom?: string): ProgramSpec {
  const since = directFrom === undefined ? {} : { minKernel: directFrom };
  return {
    name,
    index,
    hooks: [
      { kind: "tp_btf", function: `${name}_btf`, ...since },
      { kind: "raw_tracepoint", function: `${name}_raw`, ...since },
      { kind: "tracepoint", function: name },
    ],
  };
}

/**
 * Before it a direct program that an interrupt finds at work runs a second time on its CPU, which its statistics do not
 * stand. System calls do not interrupt each other.
 */
const GUARDED_FROM = "6.1";

const TCP: CollectorSpec = {
  name: "tcp",
  object: "tcp_monitor.bpf.o",
  ring: "events",
  statistics: "probe_stats",
  programs: [
    atTracepoint("tcp_state", "PROGRAM_TCP_STATE", GUARDED_FROM),
    atTracepoint("tcp_retransmit", "PROGRAM_TCP_RETRANSMIT", GUARDED_FROM),
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
    atTracepoint("syscall_enter", "PROGRAM_SYSCALL_ENTER"),
    atTracepoint("syscall_exit", "PROGRAM_SYSCALL_EXIT"),
  ],
  events: [
    { name: "syscall", type: "EVENT_SYSCALL", struct: "syscall_event", latency: "latency_ns" },
  ],
};

export const COLLECTORS: ReadonlyMap<string, CollectorSpec> = new Map([
  [TCP.name, TCP],
  [SYSCALL.name, SYSCALL],
]);

/** Kinds of hooks that programs of collectors have. */
export const HOOK_KINDS: readonly ProgramKind[] = [
  ...new Set(
    [...COLLECTORS.values()].flatMap(({ programs }) =>
      programs.flatMap(({ hooks }) => hooks.map(({ kind }) => kind)),
    ),
  ),
];

/** The variant that `object` was opened with; undefined where it has none. */
export function programOf(object: BpfObject, { hooks }: ProgramSpec): Program | undefined {
  const found = hooks.find((hook) => object.programs.has(hook.function));
  return found && object.programs.get(found.function);
}
