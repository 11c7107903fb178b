/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Handing records to user space. */
#ifndef TAPIO_BPF_BATCH_H
#define TAPIO_BPF_BATCH_H

#include "bpf_sampling.h"
#include "bpf_stats.h"
#include "event.h"
#include "task.h"

#define RING_BYTES (4 * 1024 * 1024)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} events SEC(".maps");

/* Space for a record of `size` bytes, a constant, or NULL: the loss is counted. */
static __always_inline void *event_reserve(struct probe *probe, __u64 size)
{
	void *event;

	probe->statistics->sequence++;
	event = bpf_ringbuf_reserve(&events, size, 0);
	if (!event)
		probe_count_ring_full(probe);
	return event;
}

static __always_inline void event_submit(struct probe *probe, struct event_header *header)
{
	probe_count_sent(probe, header->length);
	bpf_ringbuf_submit(header, 0);
}

static __always_inline void event_header_fill(struct event_header *header, struct probe *probe,
					      const struct task_facts *facts,
					      const struct sampling_decision *sampling,
					      __u32 generation, __u16 type, __u32 length)
{
	header->timestamp_ns = probe->now_ns;
	header->sequence = probe->statistics->sequence;
	header->cgroup_id = facts->cgroup_id;
	header->sampling = sampling->word;
	header->randomness = sampling->randomness;
	header->length = length;
	header->type = type;
	header->cpu = bpf_get_smp_processor_id();
	header->pid = facts->pid;
	header->tid = facts->tid;
	header->uid = facts->uid;
	header->pid_namespace = facts->pid_namespace;
	header->net_namespace = facts->net_namespace;
	header->mnt_namespace = facts->mnt_namespace;
	header->filter_generation = generation;
	header->program = probe->program;
	header->flags = 0;
	bpf_get_current_comm(header->command, sizeof(header->command));
}

#endif
