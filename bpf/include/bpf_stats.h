/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Per-CPU statistics of every program, kept so that the books close:
 *
 *   events_seen = filter_misses + rate_limited + sampled_out + events_dropped + events_sent
 *
 * A program never runs twice at once on a CPU (the kernel's recursion guard), and each has a slot of
 * its own, so plain additions suffice.
 */
#ifndef TAPIO_BPF_STATS_H
#define TAPIO_BPF_STATS_H

#include "kernel_types.h"
#include <bpf/bpf_helpers.h>

#define PROGRAMS_MAX 4

struct bpf_statistics {
	__u64 invocations; /* runs of the program */
	__u64 events_sent; /* records submitted to the ring */
	__u64 events_dropped; /* all reasons together */
	__u64 errors;      /* helper failures that cost no event (a full state map, ...) */
	__u64 last_update_ns;
	__u64 bytes_processed; /* of the records sent */
	__u64 filter_hits;     /* passed */
	__u64 filter_misses;   /* filtered */
	__u64 events_seen;     /* runs that concern an event this program reports */
	__u64 rate_limited;
	__u64 sampled_out;
	__u64 dropped_ring_full;
	__u64 sequence; /* last sequence number given out */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PROGRAMS_MAX);
	__type(key, __u32);
	__type(value, struct bpf_statistics);
} probe_stats SEC(".maps");

/* One run of a program: its statistics slot and the one time stamp that everything in it uses. */
struct probe {
	struct bpf_statistics *statistics;
	__u64 now_ns;
	__u32 program;
};

static __always_inline void probe_count_invocation(struct probe *probe)
{
	probe->statistics->invocations++;
	probe->statistics->last_update_ns = probe->now_ns;
}

/* Starts a run, and counts it; false only for a program number beyond PROGRAMS_MAX. */
static __always_inline bool probe_begin(struct probe *probe, __u32 program)
{
	probe->program = program;
	probe->statistics = bpf_map_lookup_elem(&probe_stats, &program);
	if (!probe->statistics)
		return false;
	probe->now_ns = bpf_ktime_get_ns();
	probe_count_invocation(probe);
	return true;
}

static __always_inline void probe_count_filter(struct probe *probe, bool passed)
{
	if (passed)
		probe->statistics->filter_hits++;
	else
		probe->statistics->filter_misses++;
}

static __always_inline void probe_count_sent(struct probe *probe, __u32 bytes)
{
	probe->statistics->events_sent++;
	probe->statistics->bytes_processed += bytes;
}

static __always_inline void probe_count_ring_full(struct probe *probe)
{
	probe->statistics->events_dropped++;
	probe->statistics->dropped_ring_full++;
}

/* The names of the original report, for a `struct probe probe` in scope. */
#define update_probe_stats_invocation() probe_count_invocation(&probe)
#define update_probe_stats_filter(passed) probe_count_filter(&probe, passed)
#define update_probe_stats_event_sent(bytes) probe_count_sent(&probe, bytes)
#define update_probe_stats_event_dropped() probe_count_ring_full(&probe)
#define update_probe_stats_error() (probe.statistics->errors++)

#endif
