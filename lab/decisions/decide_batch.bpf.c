// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The collectors' sampling decision over events that the lab made up: user space writes them into a map once, and
 * every run decides a batch of them.
 */
#define PROGRAMS_MAX 1
#include "../../bpf/include/bpf_sampling.h"

/* Of one run, so that it stays within a run's budget of instructions. */
#define BATCH_EVENTS_MAX 2048
enum { AF_INET = 2 };

struct lab_event {
	__u64 latency_ns; /* 0: not known */
	__u32 connection;
	__u8 type;
	__u8 priority;
	__u8 error;
	__u8 reserved;
};

struct lab_batch {
	__u32 first;
	__u32 count;
	/* Other end of every connection: with another one, all hashes are others. */
	__u64 peer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lab_event);
} lab_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sampling_decision);
} lab_decisions SEC(".maps");

SEC("raw_tp/lab")
int decide_batch(struct lab_batch *batch)
{
	__u32 count = batch->count;
	__u32 number = batch->first;
	struct event_facts facts = {};
	struct probe probe = {};

	facts.network.family = AF_INET;
	*(__u64 *)facts.network.destination_address = batch->peer;
	for (__u32 i = 0; i < BATCH_EVENTS_MAX && i < count; i++, number++) {
		struct sampling_decision *decision = bpf_map_lookup_elem(&lab_decisions, &number);
		struct lab_event *event = bpf_map_lookup_elem(&lab_events, &number);

		if (!decision || !event)
			return 0;
		facts.latency_ns = event->latency_ns;
		facts.latency_known = event->latency_ns != 0;
		facts.type = event->type;
		facts.priority = event->priority;
		facts.error = event->error;
		*(__u64 *)facts.network.source_address = event->connection;
		sampling_decide(decision, &probe, &facts);
	}
	return 0;
}

EMIT_TYPE(struct lab_event, emit_lab_event);
EMIT_TYPE(struct lab_batch, emit_lab_batch);
EMIT_TYPE(struct sampling_decision, emit_sampling_decision);

char LICENSE[] SEC("license") = "Dual BSD/GPL";
