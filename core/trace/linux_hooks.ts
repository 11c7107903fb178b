/**
 * Layouts of tracepoint contexts as Linux 6.18 on x86-64 has them.
 *
 * These offsets are data about a recording, not about the kernel that a program runs on: text
 * recordings (TSV) carry values but no BTF, so whoever imports one has to lay the contexts out as
 * the recorded kernel did, and says so in the trace's schema. Everything else reads layouts from
 * that schema or from BTF. The numbers are those of `events/SYSTEM/NAME/format` in tracefs.
 */

import type { HookField, HookLayout } from "./schema.ts";

const unsigned = (name: string, offset: number, size: number, count = 1): HookField => ({
  name,
  offset,
  size,
  signed: false,
  count,
});

const signed = (name: string, offset: number, size: number): HookField => ({
  name,
  offset,
  size,
  signed: true,
  count: 1,
});

/** `struct trace_entry`, with which every context starts; `pid` is the thread's id. */
const TRACE_ENTRY: readonly HookField[] = [
  unsigned("ent.type", 0, 2),
  unsigned("ent.flags", 2, 1),
  unsigned("ent.preempt_count", 3, 1),
  signed("ent.pid", 4, 4),
];

/** Ports are in host byte order, addresses in network byte order. */
const INET_SOCK_SET_STATE: HookLayout = {
  id: 0,
  hook: "tracepoint/sock/inet_sock_set_state",
  struct: "trace_event_raw_inet_sock_set_state",
  size: 72,
  fields: [
    ...TRACE_ENTRY,
    unsigned("skaddr", 8, 8),
    signed("oldstate", 16, 4),
    signed("newstate", 20, 4),
    unsigned("sport", 24, 2),
    unsigned("dport", 26, 2),
    unsigned("family", 28, 2),
    unsigned("protocol", 30, 2),
    unsigned("saddr", 32, 1, 4),
    unsigned("daddr", 36, 1, 4),
    unsigned("saddr_v6", 40, 1, 16),
    unsigned("daddr_v6", 56, 1, 16),
  ],
};

/** Ports are in host byte order, addresses in network byte order. */
const TCP_RETRANSMIT_SKB: HookLayout = {
  id: 1,
  hook: "tracepoint/tcp/tcp_retransmit_skb",
  struct: "trace_event_raw_tcp_retransmit_skb",
  size: 80,
  fields: [
    ...TRACE_ENTRY,
    unsigned("skbaddr", 8, 8),
    unsigned("skaddr", 16, 8),
    signed("state", 24, 4),
    unsigned("sport", 28, 2),
    unsigned("dport", 30, 2),
    unsigned("family", 32, 2),
    unsigned("saddr", 34, 1, 4),
    unsigned("daddr", 38, 1, 4),
    unsigned("saddr_v6", 42, 1, 16),
    unsigned("daddr_v6", 58, 1, 16),
    signed("err", 76, 4),
  ],
};

const SYS_ENTER: HookLayout = {
  id: 2,
  hook: "tracepoint/raw_syscalls/sys_enter",
  struct: "trace_event_raw_sys_enter",
  size: 64,
  fields: [...TRACE_ENTRY, signed("id", 8, 8), unsigned("args", 16, 8, 6)],
};

const SYS_EXIT: HookLayout = {
  id: 3,
  hook: "tracepoint/raw_syscalls/sys_exit",
  struct: "trace_event_raw_sys_exit",
  size: 24,
  fields: [...TRACE_ENTRY, signed("id", 8, 8), signed("ret", 16, 8)],
};

export const LINUX_6_18_HOOKS = {
  inet_sock_set_state: INET_SOCK_SET_STATE,
  tcp_retransmit_skb: TCP_RETRANSMIT_SKB,
  sys_enter: SYS_ENTER,
  sys_exit: SYS_EXIT,
} as const;
