/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Handing records to user space. */
#ifndef TAPIO_BPF_BATCH_H
#define TAPIO_BPF_BATCH_H

#include "admission.h"
#include "bpf_stats.h"
#include "event_facts.h"

#define RING_BYTES (4 * 1024 * 1024)
#define RING_RECORD_HEADER_BYTES 8

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} events SEC(".maps");

/*
 * What user space may change at any time.
 *
 * When the reader is woken: without a watermark, whenever it had caught up (what the ring does by itself); with one,
 * when that many bytes wait: the record that crosses it wakes, others do not, and the reader looks by itself when
 * its deadline has passed.
 *
 * What is left to errors and high priority: ordinary events are refused where the ring would be fuller than the
 * limit. CPUs that look at once may pass it by a record each.
 */
struct ring_settings {
	__u64 watermark_bytes; /* 0: as the ring does; 1: every record wakes */
	__u64 ordinary_limit_bytes; /* 0: the whole ring */
};

struct ring_settings ring_settings SEC(".data.ring");

#define WAKE_ALWAYS 1

/* Flags of a commit of a record of `bytes`, its header in the ring included. */
static __always_inline __u64 wakeup_flags(__u64 bytes)
{
	__u64 watermark = *(volatile __u64 *)&ring_settings.watermark_bytes;
	__u64 waiting;

	if (!watermark)
		return 0;
	if (watermark == WAKE_ALWAYS)
		return BPF_RB_FORCE_WAKEUP;
	waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	return waiting >= watermark && waiting - bytes < watermark ? BPF_RB_FORCE_WAKEUP :
								     BPF_RB_NO_WAKEUP;
}

/* Whether a record of `size` bytes may use the ring as full as it is. */
static __always_inline bool ring_admits(const struct event_facts *facts, __u64 size)
{
	__u64 limit = *(volatile __u64 *)&ring_settings.ordinary_limit_bytes;

	if (!limit || facts->error || facts->priority >= EVENT_PRIORITY_HIGH)
		return true;
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) + size + RING_RECORD_HEADER_BYTES <=
	       limit;
}

/* Space for a record of `size` bytes, a constant, or NULL: the loss is counted. */
static __always_inline void *event_reserve(struct probe *probe, const struct event_facts *facts,
					   __u64 size)
{
	void *event;

	probe_next_sequence(probe);
	if (!ring_admits(facts, size)) {
		probe_count_ring_reserved(probe);
		return NULL;
	}
	event = bpf_ringbuf_reserve(&events, size, 0);
	if (!event)
		probe_count_ring_full(probe);
	return event;
}

static __always_inline void event_submit(struct probe *probe, struct event_header *header)
{
	__u64 flags = wakeup_flags(header->length + RING_RECORD_HEADER_BYTES);

	probe_count_sent(probe, header->type, header->length);
	bpf_ringbuf_submit(header, flags);
}

static __always_inline void event_header_fill(struct event_header *header, struct probe *probe,
					      const struct event_facts *facts,
					      const struct admission *admission, __u32 length)
{
	const struct task_facts *task = &facts->task;

	header->timestamp_ns = probe->now_ns;
	header->sequence = probe_counter(probe, sequence);
	header->cgroup_id = task->cgroup_id;
	header->sampling = admission->sampling.word;
	header->randomness = admission->sampling.randomness;
	header->length = length;
	header->type = facts->type;
	header->cpu = bpf_get_smp_processor_id();
	header->pid = task->pid;
	header->tid = task->tid;
	header->uid = task->uid;
	header->pid_namespace = task->pid_namespace;
	header->net_namespace = task->net_namespace;
	header->mnt_namespace = task->mnt_namespace;
	header->filter_generation = admission->generation;
	header->filter_rule = admission->rule;
	header->stratum = admission->sampling.stratum;
	header->priority = facts->priority;
	header->reserved = 0;
	header->program = probe->program;
	header->flags = admission->flags;
	bpf_get_current_comm(header->command, sizeof(header->command));
}

/* The report's name: a whole event, copied; `ring` is named for its readers' sake. */
#define BATCH_PROCESS_EVENT(ring, event, size)                                                     \
	bpf_ringbuf_output(ring, event, size, wakeup_flags((size) + RING_RECORD_HEADER_BYTES))

#endif
