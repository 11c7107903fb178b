/** What a program is, read off its ELF section name as libbpf reads it. */

import type { ProgramKind } from "#core/backend.ts";

export interface SectionKind {
  readonly kind: ProgramKind;
  /** What follows the kind: `"sock/inet_sock_set_state"` of `"tp/sock/inet_sock_set_state"`. */
  readonly target: string;
  /** The program may sleep (`fentry.s/...`). */
  readonly sleepable: boolean;
  /** False where the section name starts with `?`: loaded only when asked for by name. */
  readonly autoload: boolean;
}

/** Names that stand alone or are followed by `/target`. */
const PREFIXES: readonly (readonly [string, ProgramKind])[] = [
  ["tp", "tracepoint"],
  ["tracepoint", "tracepoint"],
  ["raw_tp", "raw_tracepoint"],
  ["raw_tp.w", "raw_tracepoint"],
  ["raw_tracepoint", "raw_tracepoint"],
  ["raw_tracepoint.w", "raw_tracepoint"],
  ["tp_btf", "tp_btf"],
  ["kprobe", "kprobe"],
  ["kprobe.multi", "kprobe"],
  ["kprobe.session", "kprobe"],
  ["ksyscall", "kprobe"],
  ["kretprobe", "kretprobe"],
  ["kretprobe.multi", "kretprobe"],
  ["kretsyscall", "kretprobe"],
  ["uprobe", "uprobe"],
  ["uprobe.multi", "uprobe"],
  ["uprobe.session", "uprobe"],
  ["uretprobe", "uretprobe"],
  ["uretprobe.multi", "uretprobe"],
  ["usdt", "usdt"],
  ["fentry", "fentry"],
  ["fexit", "fexit"],
  ["iter", "iter"],
  ["fmod_ret", "other"],
  ["freplace", "other"],
  ["lsm", "other"],
  ["lsm_cgroup", "other"],
  ["struct_ops", "other"],
];

/** Kinds of which a sleepable form (`uprobe.s/...`) exists. */
const SLEEPABLE = new Set([
  "uprobe",
  "uprobe.multi",
  "uprobe.session",
  "uretprobe",
  "uretprobe.multi",
  "usdt",
  "fentry",
  "fexit",
  "fmod_ret",
  "iter",
  "lsm",
  "struct_ops",
]);

/** Names that stand as they are. */
const EXACT: ReadonlyMap<string, ProgramKind> = new Map([
  ...names("xdp", [
    "xdp",
    "xdp.frags",
    "xdp/devmap",
    "xdp.frags/devmap",
    "xdp/cpumap",
    "xdp.frags/cpumap",
  ]),
  ...names("tc", [
    "tc",
    "tc/ingress",
    "tc/egress",
    "tcx/ingress",
    "tcx/egress",
    "classifier",
    "action",
    "netkit/primary",
    "netkit/peer",
  ]),
  ...names("cgroup", [
    "cgroup/skb",
    "cgroup_skb/ingress",
    "cgroup_skb/egress",
    "cgroup/sock_create",
    "cgroup/sock_release",
    "cgroup/sock",
    "cgroup/post_bind4",
    "cgroup/post_bind6",
    ...socketAddressHooks(),
    "cgroup/sysctl",
    "cgroup/getsockopt",
    "cgroup/setsockopt",
    "cgroup/dev",
  ]),
  ...names("perf_event", ["perf_event"]),
  ...names("socket", ["socket"]),
  ...names("syscall", ["syscall"]),
]);

function names(kind: ProgramKind, list: readonly string[]): (readonly [string, ProgramKind])[] {
  return list.map((name) => [name, kind] as const);
}

function socketAddressHooks(): string[] {
  const hooks: string[] = [];
  for (const hook of ["bind", "connect", "sendmsg", "recvmsg", "getpeername", "getsockname"]) {
    for (const family of ["4", "6", "_unix"]) {
      if (hook !== "bind" || family !== "_unix") hooks.push(`cgroup/${hook}${family}`);
    }
  }
  return hooks;
}

/** Reads an ELF section name; what libbpf would not recognize is of kind `"other"`. */
export function sectionKind(section: string): SectionKind {
  const autoload = !section.startsWith("?");
  const name = autoload ? section : section.slice(1);
  const exact = EXACT.get(name);
  if (exact !== undefined) {
    const slash = name.indexOf("/");
    const target = slash < 0 ? "" : name.slice(slash + 1);
    return { kind: exact, target, sleepable: exact === "syscall", autoload };
  }
  const slash = name.indexOf("/");
  const head = slash < 0 ? name : name.slice(0, slash);
  const target = slash < 0 ? "" : name.slice(slash + 1);
  const sleepable = head.endsWith(".s") && SLEEPABLE.has(head.slice(0, -2));
  const prefix = sleepable ? head.slice(0, -2) : head;
  const kind = PREFIXES.find(([known]) => known === prefix)?.[1] ?? "other";
  return { kind, target, sleepable, autoload };
}
