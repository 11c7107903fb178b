/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the gates may judge an event by. A collector fills it before it asks for admission, so that
 * filters, limits and sampling look at one description, and copies from it into the record.
 */
#ifndef TAPIO_EVENT_FACTS_H
#define TAPIO_EVENT_FACTS_H

#include "event.h"
#include "task.h"

struct network_facts {
	__u8 source_address[16]; /* IPv4 in the first four bytes, network byte order */
	__u8 destination_address[16];
	__u16 source_port; /* host byte order */
	__u16 destination_port;
	__u16 family;  /* AF_INET 2, AF_INET6 10; 0: the event has no network */
	__u8 protocol; /* IPPROTO_TCP 6 */
	__u8 reserved;
};

struct event_facts {
	struct task_facts task;
	struct network_facts network;
	__u64 latency_ns; /* of the operation that the event completes; 0 where unknown */
	/* Process whose doing the event is, 0 where it is unknown: not always the current task's. */
	__u32 actor_pid;
	__u16 type;    /* enum event_type */
	__u8 priority; /* enum event_priority */
	bool latency_known;
	bool error; /* the operation failed */
	__u8 reserved[7];
};

/* Starts the description of an event of `type`; what the collector does not add stays 0. */
static __always_inline void event_facts_begin(struct event_facts *facts, __u16 type)
{
	__builtin_memset(facts, 0, sizeof(*facts));
	facts->type = type;
	facts->priority = EVENT_PRIORITY_NORMAL;
	task_facts_read(&facts->task);
	facts->actor_pid = facts->task.pid;
}

/*
 * Takes the latency of an operation that began at `start_ns`. A beginning that lies ahead is that of another operation, which
 * another CPU noted after this event took the time: then the latency stays unknown.
 */
static __always_inline void event_facts_latency(struct event_facts *facts, __u64 start_ns,
						__u64 now_ns)
{
	facts->latency_known = start_ns <= now_ns;
	facts->latency_ns = facts->latency_known ? now_ns - start_ns : 0;
}

#endif
