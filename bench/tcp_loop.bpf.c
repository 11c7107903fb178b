// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Changes of one connection's state through the collector of TCP, to and fro. */
#include "../bpf/tcp_monitor.bpf.c"

#include "event_loop.h"

#define LOOP_SOCKET 0x1000

static __always_inline void loop_event(struct loop_call *call, __u32 index, __u32 variant)
{
	struct trace_event_raw_inet_sock_set_state *fields = (void *)call;

	fields->skaddr = (const void *)LOOP_SOCKET;
	fields->protocol = IPPROTO_TCP;
	fields->family = AF_INET;
	fields->oldstate = index & 1 ? TCP_SYN_RECV : TCP_SYN_SENT;
	fields->newstate = index & 1 ? TCP_SYN_SENT : TCP_SYN_RECV;
	tcp_state_run(fields, HOOK_TRACEPOINT);
}
