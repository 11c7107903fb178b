import { expect, it } from "vitest";
import { sectionKind } from "#wasm/loader/section_kind.ts";

it.each([
  ["tp/sock/inet_sock_set_state", "tracepoint", "sock/inet_sock_set_state"],
  ["tracepoint/syscalls/sys_enter_openat", "tracepoint", "syscalls/sys_enter_openat"],
  ["raw_tp/sys_enter", "raw_tracepoint", "sys_enter"],
  ["raw_tracepoint.w/x", "raw_tracepoint", "x"],
  ["tp_btf/sched_switch", "tp_btf", "sched_switch"],
  ["kprobe/tcp_connect", "kprobe", "tcp_connect"],
  ["kprobe.multi/tcp_*", "kprobe", "tcp_*"],
  ["ksyscall/openat", "kprobe", "openat"],
  ["kretprobe/tcp_connect", "kretprobe", "tcp_connect"],
  ["fentry/vfs_read", "fentry", "vfs_read"],
  ["fexit.s/vfs_read", "fexit", "vfs_read"],
  ["uprobe//bin/sh:main", "uprobe", "/bin/sh:main"],
  ["uretprobe", "uretprobe", ""],
  ["usdt/libc.so:a:b", "usdt", "libc.so:a:b"],
  ["xdp", "xdp", ""],
  ["xdp.frags/devmap", "xdp", "devmap"],
  ["tc", "tc", ""],
  ["tcx/ingress", "tc", "ingress"],
  ["classifier", "tc", ""],
  ["cgroup_skb/egress", "cgroup", "egress"],
  ["cgroup/connect4", "cgroup", "connect4"],
  ["perf_event", "perf_event", ""],
  ["iter/task", "iter", "task"],
  ["iter.s/task", "iter", "task"],
  ["socket", "socket", ""],
  ["syscall", "syscall", ""],
  // What libbpf does not recognize, or this project does not attach.
  ["xdp/custom", "other", "custom"],
  ["tpx/a", "other", "a"],
  ["lsm/file_open", "other", "file_open"],
  ["cgroup/bind_unix", "other", "bind_unix"],
  ["", "other", ""],
])("section %j is of kind %s with target %j", (section, kind, target) => {
  expect(sectionKind(section)).toMatchObject({ kind, target, autoload: true });
  expect(sectionKind(`?${section}`)).toMatchObject({ kind, target, autoload: false });
});

it("knows which programs may sleep", () => {
  expect(sectionKind("fentry.s/x").sleepable).toBe(true);
  expect(sectionKind("fentry/x").sleepable).toBe(false);
  expect(sectionKind("kprobe.s/x")).toMatchObject({ kind: "other", sleepable: false });
  expect(sectionKind("syscall").sleepable).toBe(true);
});
