/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Layout of every record in a ring. User space reads it through the object's BTF, so a change here
 * is a change everywhere. All fields are in host byte order, addresses in network byte order.
 */
#ifndef TAPIO_EVENT_H
#define TAPIO_EVENT_H

#include "kernel_types.h"

#define COMMAND_LENGTH 16

enum event_type {
	EVENT_TCP_STATE = 1,
	EVENT_TCP_CONNECT_FAILED = 2, /* a state change SYN_SENT to CLOSE */
	EVENT_TCP_RETRANSMIT = 3,
	EVENT_SYSCALL = 4,
};

/* Bits of event_header.flags. */
enum event_flag {
	EVENT_DURATION_UNKNOWN = 1, /* the operation began before the collector did */
	EVENT_SHADOW_REJECTED = 2, /* a shadow rule would have rejected it */
};

/* Scale of event_header.priority: 0 to 9. */
enum event_priority {
	EVENT_PRIORITY_NORMAL = 1,
	EVENT_PRIORITY_HIGH = 5,
	EVENT_PRIORITY_CRITICAL = 9,
};

struct event_header {
	__u64 timestamp_ns; /* CLOCK_MONOTONIC */
	/* Counts the events of this program on this CPU that were to be delivered, lost ones
	 * included: a gap is a loss. Starts at 1. */
	__u64 sequence;
	__u64 cgroup_id;
	__u64 sampling;   /* epoch << 56 | T, the rejection threshold that was in force */
	__u64 randomness; /* R, 56 bits; the event was kept because R >= T */
	__u32 length;     /* of the whole record in bytes */
	__u16 type;       /* enum event_type */
	__u16 cpu;
	__u32 pid; /* thread group id, as user space says */
	__u32 tid;
	__u32 uid;
	__u32 pid_namespace; /* inode numbers of the current task's namespaces */
	__u32 net_namespace;
	__u32 mnt_namespace;
	__u32 filter_generation; /* of the rule set that judged the event */
	__u16 program;           /* index in the object's statistics */
	__u16 flags;             /* enum event_flag */
	__u32 filter_rule;       /* id of the allow rule that admitted the event, 0 = none had to */
	__u16 stratum;           /* row of the sampling table that gave T */
	__u8 priority;           /* enum event_priority */
	__u8 reserved;
	char command[COMMAND_LENGTH];
};

struct tcp_event {
	struct event_header header;
	__u64 socket; /* kernel address: the connection's identity while it lives */
	__u64 duration_ns; /* spent in old_state; 0 with EVENT_DURATION_UNKNOWN */
	__u8 source_address[16]; /* IPv4 in the first four bytes */
	__u8 destination_address[16];
	__u16 source_port;
	__u16 destination_port;
	__u16 family;   /* AF_INET 2, AF_INET6 10 */
	__u8 old_state; /* kernel numbers, TCP_ESTABLISHED = 1; a retransmit has old = new */
	__u8 new_state;
	__u32 owner_pid; /* process that opened or accepted the connection, 0 if unknown */
	__u32 reserved;
};

struct syscall_event {
	struct event_header header;
	__u64 latency_ns; /* from enter to exit; 0 with EVENT_DURATION_UNKNOWN */
	__s64 result;     /* what the call returned */
	__u32 number;     /* of the architecture recorded on */
	__u32 error;      /* errno, 0 for success */
};

/* Local structures reach an object's BTF only through a variable; user space decodes by these. */
#define EMIT_TYPE(type, name) const type *name __attribute__((unused))

EMIT_TYPE(enum event_type, emit_event_type);
EMIT_TYPE(enum event_flag, emit_event_flag);
EMIT_TYPE(enum event_priority, emit_event_priority);

_Static_assert(sizeof(struct event_header) == 104, "event_header is part of the record format");
_Static_assert(sizeof(struct tcp_event) == 168, "tcp_event is part of the record format");
_Static_assert(sizeof(struct syscall_event) == 128, "syscall_event is part of the record format");

#endif
