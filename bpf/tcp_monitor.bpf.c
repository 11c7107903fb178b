// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * TCP connections: every state change with the time spent in the state before, connection attempts
 * that fail, and retransmits. They often happen in a soft interrupt, in the name of whatever it interrupted: so
 * they are the doing of who opened the connection, as far as that is known.
 */
#define PROGRAMS_MAX 2
#include "include/collector.h"
#include "include/hooks.h"
#include <bpf/bpf_endian.h>

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
 * Both ends of a connection, as the two tracepoints have them; `network->family` is set before.
 * Addresses go through the read helper: the verifier wants every direct context access at a constant
 * offset, and CO-RE makes none.
 */
#define ENDPOINTS_READ(network, fields)                                                            \
	do {                                                                                       \
		(network)->protocol = IPPROTO_TCP;                                                 \
		(network)->source_port = (fields)->sport;                                          \
		(network)->destination_port = (fields)->dport;                                     \
		if ((network)->family == AF_INET6) {                                               \
			bpf_core_read((network)->source_address, 16, &(fields)->saddr_v6);         \
			bpf_core_read((network)->destination_address, 16, &(fields)->daddr_v6);    \
		} else {                                                                           \
			bpf_core_read((network)->source_address, 4, &(fields)->saddr);             \
			bpf_core_read((network)->destination_address, 4, &(fields)->daddr);        \
		}                                                                                  \
	} while (0)

/* The same, and the family, of a socket itself: what the events are made of. */
static __always_inline void socket_read(struct network_facts *network, const struct sock *socket,
					enum hook hook)
{
	const struct sock_common *common = &socket->__sk_common;
	const struct inet_sock *inet = (const struct inet_sock *)socket;

	network->protocol = IPPROTO_TCP;
	network->family = HOOK_READ(hook, socket, __sk_common.skc_family);
	network->source_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	network->destination_port = bpf_ntohs(HOOK_READ(hook, socket, __sk_common.skc_dport));
	if (network->family == AF_INET6 && bpf_core_field_exists(common->skc_v6_daddr)) {
		bpf_core_read(network->source_address, 16, &common->skc_v6_rcv_saddr);
		bpf_core_read(network->destination_address, 16, &common->skc_v6_daddr);
	} else {
		bpf_core_read(network->source_address, 4, &inet->inet_saddr);
		bpf_core_read(network->destination_address, 4, &common->skc_daddr);
	}
}

static __always_inline void endpoints_fill(struct tcp_event *event,
					   const struct network_facts *network)
{
	__builtin_memcpy(event->source_address, network->source_address, 16);
	__builtin_memcpy(event->destination_address, network->destination_address, 16);
	event->source_port = network->source_port;
	event->destination_port = network->destination_port;
	event->family = network->family;
}

/* A change of state, as far as it does not concern the network. */
struct transition {
	__u64 socket;
	__u32 old_state;
	__u32 new_state;
	__u32 protocol;
};

/*
 * Notes the new state and says what the old one was: how long it lasted and who owns the socket.
 * The owner is the process that went to SYN_SENT; everything later may run in somebody else's time.
 */
static __always_inline bool state_change(struct probe *probe, const struct transition *transition,
					 struct tcp_state *previous)
{
	struct tcp_state *known = bpf_map_lookup_elem(&tcp_states, &transition->socket);
	struct tcp_state next = { .since_ns = probe->now_ns, .state = transition->new_state };
	bool same = false;

	previous->owner_pid = 0;
	previous->since_ns = 0;
	if (known) {
		same = known->state == transition->old_state;
		previous->owner_pid = known->owner_pid;
		previous->since_ns = known->since_ns;
	} else if (transition->new_state == TCP_SYN_SENT) {
		previous->owner_pid = bpf_get_current_pid_tgid() >> 32;
	}
	if (transition->new_state == TCP_CLOSE) {
		if (known)
			bpf_map_delete_elem(&tcp_states, &transition->socket);
		return same;
	}
	next.owner_pid = previous->owner_pid;
	if (bpf_map_update_elem(&tcp_states, &transition->socket, &next, BPF_ANY))
		probe_count(probe, errors);
	return same;
}

static __always_inline void transition_read(struct transition *transition, const void *context,
					    enum hook hook)
{
	if (hook == HOOK_TRACEPOINT) {
		const struct trace_event_raw_inet_sock_set_state *fields = context;

		transition->socket = (__u64)fields->skaddr;
		transition->old_state = fields->oldstate;
		transition->new_state = fields->newstate;
		transition->protocol = fields->protocol;
	} else {
		const struct sock *socket = (const void *)hook_argument(context, 0);

		transition->socket = (__u64)socket;
		transition->old_state = hook_argument(context, 1);
		transition->new_state = hook_argument(context, 2);
		transition->protocol = HOOK_READ(hook, socket, sk_protocol);
	}
}

static __always_inline void transition_network(struct network_facts *network, const void *context,
					       enum hook hook)
{
	if (hook == HOOK_TRACEPOINT) {
		const struct trace_event_raw_inet_sock_set_state *fields = context;

		network->family = fields->family;
		ENDPOINTS_READ(network, fields);
	} else {
		socket_read(network, (const void *)hook_argument(context, 0), hook);
	}
}

static __always_inline void tcp_state_observe(struct probe *probe, const void *context,
					      enum hook hook)
{
	struct transition transition;
	struct admission admission;
	struct tcp_state previous;
	struct event_facts facts;
	struct tcp_event *event;
	bool known;

	transition_read(&transition, context, hook);
	if (transition.protocol != IPPROTO_TCP)
		return;
	known = state_change(probe, &transition, &previous);
	event_facts_begin(&facts, EVENT_TCP_STATE);
	facts.actor_pid = previous.owner_pid;
	if (transition.old_state == TCP_SYN_SENT && transition.new_state == TCP_CLOSE) {
		facts.type = EVENT_TCP_CONNECT_FAILED;
		facts.priority = EVENT_PRIORITY_HIGH;
		facts.error = true;
	}
	if (known)
		event_facts_latency(&facts, previous.since_ns, probe->now_ns);
	transition_network(&facts.network, context, hook);
	if (!event_admit(probe, &facts, &admission))
		return;
	event = event_reserve(probe, &facts, sizeof(*event));
	if (!event)
		return;
	event_header_fill(&event->header, probe, &facts, &admission, sizeof(*event));
	if (!facts.latency_known)
		event->header.flags |= EVENT_DURATION_UNKNOWN;
	event->socket = transition.socket;
	event->duration_ns = facts.latency_ns;
	endpoints_fill(event, &facts.network);
	event->old_state = transition.old_state;
	event->new_state = transition.new_state;
	event->owner_pid = previous.owner_pid;
	event->reserved = 0;
	event_submit(probe, &event->header);
}

static __always_inline int tcp_state_run(const void *context, enum hook hook)
{
	struct probe probe;

	if (!probe_begin(&probe, PROGRAM_TCP_STATE))
		return 0;
	tcp_state_observe(&probe, context, hook);
	probe_end(&probe);
	return 0;
}

SEC("tp/sock/inet_sock_set_state")
int tcp_state(void *context)
{
	return tcp_state_run(context, HOOK_TRACEPOINT);
}

SEC("?raw_tp/inet_sock_set_state")
int tcp_state_raw(void *context)
{
	return tcp_state_run(context, HOOK_RAW_TRACEPOINT);
}

SEC("?tp_btf/inet_sock_set_state")
int tcp_state_btf(void *context)
{
	return tcp_state_run(context, HOOK_TP_BTF);
}

/* A retransmit, as far as it does not concern the network. */
struct retransmit {
	__u64 socket;
	__u32 state;
};

/* What both layouts of the tracepoint tell. Reads through `fields`, of the layout that exists. */
#define RETRANSMIT_READ(retransmit, network, fields)                                               \
	do {                                                                                       \
		(retransmit)->socket = (__u64)(fields)->skaddr;                                    \
		(retransmit)->state = (fields)->state;                                             \
		(network)->family = retransmit_family(fields);                                     \
		ENDPOINTS_READ(network, fields);                                                   \
	} while (0)

/* Before 5.16 the tracepoint does not say the family; the socket does. */
#define retransmit_family(fields)                                                                  \
	(bpf_core_field_exists((fields)->family) ?                                                 \
		 (fields)->family :                                                                \
		 BPF_CORE_READ((struct sock *)(fields)->skaddr, __sk_common.skc_family))

static __always_inline void retransmit_read(struct retransmit *retransmit,
					    struct network_facts *network, const void *context,
					    enum hook hook)
{
	if (hook != HOOK_TRACEPOINT) {
		const struct sock *socket = (const void *)hook_argument(context, 0);

		retransmit->socket = (__u64)socket;
		retransmit->state = HOOK_READ(hook, socket, __sk_common.skc_state);
		socket_read(network, socket, hook);
	} else if (bpf_core_type_exists(struct trace_event_raw_tcp_retransmit_skb)) {
		RETRANSMIT_READ(retransmit, network,
				(const struct trace_event_raw_tcp_retransmit_skb *)context);
	} else {
		RETRANSMIT_READ(retransmit, network,
				(const struct trace_event_raw_tcp_event_sk_skb *)context);
	}
}

static __always_inline void tcp_retransmit_observe(struct probe *probe, const void *context,
						   enum hook hook)
{
	struct admission admission;
	struct retransmit retransmit;
	struct event_facts facts;
	struct tcp_state *known;
	struct tcp_event *event;
	__u32 owner_pid = 0;

	event_facts_begin(&facts, EVENT_TCP_RETRANSMIT);
	facts.priority = EVENT_PRIORITY_HIGH;
	retransmit_read(&retransmit, &facts.network, context, hook);
	known = bpf_map_lookup_elem(&tcp_states, &retransmit.socket);
	if (known) {
		event_facts_latency(&facts, known->since_ns, probe->now_ns);
		owner_pid = known->owner_pid;
	}
	facts.actor_pid = owner_pid;
	if (!event_admit(probe, &facts, &admission))
		return;
	event = event_reserve(probe, &facts, sizeof(*event));
	if (!event)
		return;
	event_header_fill(&event->header, probe, &facts, &admission, sizeof(*event));
	if (!facts.latency_known)
		event->header.flags |= EVENT_DURATION_UNKNOWN;
	event->socket = retransmit.socket;
	event->old_state = retransmit.state;
	event->new_state = retransmit.state;
	event->duration_ns = facts.latency_ns;
	endpoints_fill(event, &facts.network);
	event->owner_pid = owner_pid;
	event->reserved = 0;
	event_submit(probe, &event->header);
}

static __always_inline int tcp_retransmit_run(const void *context, enum hook hook)
{
	struct probe probe;

	if (!probe_begin(&probe, PROGRAM_TCP_RETRANSMIT))
		return 0;
	tcp_retransmit_observe(&probe, context, hook);
	probe_end(&probe);
	return 0;
}

SEC("tp/tcp/tcp_retransmit_skb")
int tcp_retransmit(void *context)
{
	return tcp_retransmit_run(context, HOOK_TRACEPOINT);
}

SEC("?raw_tp/tcp_retransmit_skb")
int tcp_retransmit_raw(void *context)
{
	return tcp_retransmit_run(context, HOOK_RAW_TRACEPOINT);
}

SEC("?tp_btf/tcp_retransmit_skb")
int tcp_retransmit_btf(void *context)
{
	return tcp_retransmit_run(context, HOOK_TP_BTF);
}

EMIT_TYPE(struct tcp_event, emit_tcp_event);
EMIT_TYPE(enum tcp_program, emit_tcp_program);

char LICENSE[] SEC("license") = "Dual BSD/GPL";
