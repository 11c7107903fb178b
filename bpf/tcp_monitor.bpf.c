// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * TCP connections: every state change with the time spent in the state before, connection attempts
 * that fail, and retransmits.
 */
#include "include/collector.h"

enum tcp_program {
	PROGRAM_TCP_STATE = 0,
	PROGRAM_TCP_RETRANSMIT = 1,
};

enum { AF_INET = 2, AF_INET6 = 10 };
enum { IPPROTO_TCP = 6 };
enum { TCP_SYN_SENT = 2, TCP_SYN_RECV = 3, TCP_CLOSE = 7 };

struct tcp_state {
	__u64 since_ns;
	__u32 state;
	__u32 owner_pid;
};

/* By socket address. Sockets leave through TCP_CLOSE; the ones that are missed make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct tcp_state);
} tcp_states SEC(".maps");

/*
 * Both ends of a connection, as the two tracepoints have them. Addresses go through the read helper:
 * the verifier wants every direct context access at a constant offset, and CO-RE makes none.
 */
#define ENDPOINTS_FILL(event, fields)                                                              \
	do {                                                                                       \
		(event)->source_port = (fields)->sport;                                            \
		(event)->destination_port = (fields)->dport;                                       \
		__builtin_memset((event)->source_address, 0, 16);                                  \
		__builtin_memset((event)->destination_address, 0, 16);                             \
		if ((event)->family == AF_INET6) {                                                 \
			bpf_core_read((event)->source_address, 16, &(fields)->saddr_v6);           \
			bpf_core_read((event)->destination_address, 16, &(fields)->daddr_v6);      \
		} else {                                                                           \
			bpf_core_read((event)->source_address, 4, &(fields)->saddr);               \
			bpf_core_read((event)->destination_address, 4, &(fields)->daddr);          \
		}                                                                                  \
	} while (0)

/*
 * Notes the new state and says what the old one was: how long it lasted and who owns the socket.
 * The owner is the process that went to SYN_SENT; everything later may run in somebody else's time.
 */
static __always_inline bool state_change(struct probe *probe, __u64 socket, __u32 old_state,
					 __u32 new_state, struct tcp_state *previous)
{
	struct tcp_state *known = bpf_map_lookup_elem(&tcp_states, &socket);
	struct tcp_state next = { .since_ns = probe->now_ns, .state = new_state };
	bool same = false;

	previous->owner_pid = 0;
	previous->since_ns = 0;
	if (known) {
		same = known->state == old_state;
		previous->owner_pid = known->owner_pid;
		previous->since_ns = known->since_ns;
	} else if (new_state == TCP_SYN_SENT) {
		previous->owner_pid = bpf_get_current_pid_tgid() >> 32;
	}
	if (new_state == TCP_CLOSE) {
		if (known)
			bpf_map_delete_elem(&tcp_states, &socket);
		return same;
	}
	next.owner_pid = previous->owner_pid;
	if (bpf_map_update_elem(&tcp_states, &socket, &next, BPF_ANY))
		probe->statistics->errors++;
	return same;
}

SEC("tp/sock/inet_sock_set_state")
int tcp_state(struct trace_event_raw_inet_sock_set_state *context)
{
	__u64 socket = (__u64)context->skaddr;
	__u32 old_state = context->oldstate;
	__u32 new_state = context->newstate;
	struct admission admission;
	struct tcp_state previous;
	struct tcp_event *event;
	struct probe probe;
	__u16 type;
	bool known;

	if (!probe_begin(&probe, PROGRAM_TCP_STATE))
		return 0;
	if (context->protocol != IPPROTO_TCP)
		return 0;
	known = state_change(&probe, socket, old_state, new_state, &previous);
	if (!event_admit(&probe, &admission))
		return 0;
	event = event_reserve(&probe, sizeof(*event));
	if (!event)
		return 0;
	type = old_state == TCP_SYN_SENT && new_state == TCP_CLOSE ? EVENT_TCP_CONNECT_FAILED :
								     EVENT_TCP_STATE;
	event_header_fill(&event->header, &probe, &admission.facts, &admission.sampling,
			  admission.generation, type, sizeof(*event));
	if (!known)
		event->header.flags = EVENT_DURATION_UNKNOWN;
	event->socket = socket;
	event->duration_ns = known ? probe.now_ns - previous.since_ns : 0;
	event->family = context->family;
	ENDPOINTS_FILL(event, context);
	event->old_state = old_state;
	event->new_state = new_state;
	event->owner_pid = previous.owner_pid;
	event->reserved = 0;
	event_submit(&probe, &event->header);
	return 0;
}

/* What both layouts of the tracepoint tell. Reads through `fields`, of the layout that exists. */
#define RETRANSMIT_FILL(event, fields)                                                             \
	do {                                                                                       \
		(event)->socket = (__u64)(fields)->skaddr;                                         \
		(event)->old_state = (fields)->state;                                              \
		(event)->new_state = (fields)->state;                                              \
		(event)->family = retransmit_family(fields);                                       \
		ENDPOINTS_FILL(event, fields);                                                     \
	} while (0)

/* Before 5.16 the tracepoint does not say the family; the socket does. */
#define retransmit_family(fields)                                                                  \
	(bpf_core_field_exists((fields)->family) ?                                                 \
		 (fields)->family :                                                                \
		 BPF_CORE_READ((struct sock *)(fields)->skaddr, __sk_common.skc_family))

SEC("tp/tcp/tcp_retransmit_skb")
int tcp_retransmit(void *context)
{
	struct admission admission;
	struct tcp_state *known;
	struct tcp_event *event;
	struct probe probe;
	__u64 socket;

	if (!probe_begin(&probe, PROGRAM_TCP_RETRANSMIT))
		return 0;
	if (!event_admit(&probe, &admission))
		return 0;
	event = event_reserve(&probe, sizeof(*event));
	if (!event)
		return 0;
	event_header_fill(&event->header, &probe, &admission.facts, &admission.sampling,
			  admission.generation, EVENT_TCP_RETRANSMIT, sizeof(*event));
	if (bpf_core_type_exists(struct trace_event_raw_tcp_retransmit_skb))
		RETRANSMIT_FILL(event, (struct trace_event_raw_tcp_retransmit_skb *)context);
	else
		RETRANSMIT_FILL(event, (struct trace_event_raw_tcp_event_sk_skb *)context);
	event->duration_ns = 0;
	event->owner_pid = 0;
	event->reserved = 0;
	socket = event->socket;
	known = bpf_map_lookup_elem(&tcp_states, &socket);
	if (known) {
		event->duration_ns = probe.now_ns - known->since_ns;
		event->owner_pid = known->owner_pid;
	} else {
		event->header.flags = EVENT_DURATION_UNKNOWN;
	}
	event_submit(&probe, &event->header);
	return 0;
}

EMIT_TYPE(struct tcp_event, emit_tcp_event);
EMIT_TYPE(enum tcp_program, emit_tcp_program);

char LICENSE[] SEC("license") = "Dual BSD/GPL";
