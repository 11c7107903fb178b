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

/* Slots of the statistics map: a collector says how many programs it has, before it includes this. */
#ifndef PROGRAMS_MAX
#define PROGRAMS_MAX 4
#endif

/* Event types that are counted one by one; numbers from here on share a counter. A power of two. */
#define EVENT_TYPES_MAX 8
/* Bucket i counts runs of [2^i, 2^(i+1)) ns, the first those under 2 ns, the last those over 2^31. */
#define RUN_TIME_BUCKETS 32

/*
 * The first run and then every 2^k-th of a program on a CPU are timed: a clock read costs more than
 * everything else in here. 63 and more: no run after the first.
 */
const volatile __u32 run_time_sample_shift = 6;

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
	__u64 dropped_ring_reserved; /* ordinary events, where only the reserved part of the ring was free */
	__u64 sequence; /* last sequence number given out */
	__u64 completions; /* runs that ended; behind invocations while one is under way */
	__u64 timed_run_ns; /* of the runs in run_time_log2, together */
	__u64 seen_by_type[EVENT_TYPES_MAX];
	__u64 sent_by_type[EVENT_TYPES_MAX];
	__u64 run_time_log2[RUN_TIME_BUCKETS]; /* of timed runs */
	/* Longest latency among the events that sampling left out: no estimate can know it. */
	__u64 left_out_latency_max_ns[EVENT_TYPES_MAX];
};

_Static_assert(sizeof(struct bpf_statistics) <= 1024, "a program's statistics take 1 KB a CPU");

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

/*
 * STATISTICS_OFF leaves the counting out, for the benchmark that says what it costs; programs use
 * these and never the slot itself.
 */
#ifdef STATISTICS_OFF
#define probe_count(probe, counter) ((void)(probe))
#define probe_count_by(probe, counter, amount) ((void)(probe), (void)(amount))
#define probe_counter(probe, counter) ((void)(probe), 0)
#define probe_raise(probe, maximum, value) ((void)(probe), (void)(value))
#else
#define probe_count(probe, counter) ((probe)->statistics->counter++)
#define probe_count_by(probe, counter, amount) ((probe)->statistics->counter += (amount))
#define probe_counter(probe, counter) ((probe)->statistics->counter)
#define probe_raise(probe, maximum, value)                                                         \
	do {                                                                                       \
		if ((value) > (probe)->statistics->maximum)                                        \
			(probe)->statistics->maximum = (value);                                    \
	} while (0)
#endif

static __always_inline void probe_count_invocation(struct probe *probe)
{
	probe_count(probe, invocations);
#ifndef STATISTICS_OFF
	probe->statistics->last_update_ns = probe->now_ns;
#endif
}

/* Starts a run, and counts it; false only for a program number beyond PROGRAMS_MAX. */
static __always_inline bool probe_begin(struct probe *probe, __u32 program)
{
	probe->program = program;
#ifndef STATISTICS_OFF
	probe->statistics = bpf_map_lookup_elem(&probe_stats, &program);
	if (!probe->statistics)
		return false;
#endif
	probe->now_ns = bpf_ktime_get_ns();
	probe_count_invocation(probe);
	return true;
}

/* floor(log2(value)), at most RUN_TIME_BUCKETS - 1; 0 for 0. */
static __always_inline __u32 run_time_bucket(__u64 value)
{
	__u32 low = value >> RUN_TIME_BUCKETS ? 0xffffffff : (__u32)value;
	__u32 bucket = 0;

	if (low >> 16) {
		bucket += 16;
		low >>= 16;
	}
	if (low >> 8) {
		bucket += 8;
		low >>= 8;
	}
	if (low >> 4) {
		bucket += 4;
		low >>= 4;
	}
	if (low >> 2) {
		bucket += 2;
		low >>= 2;
	}
	return (bucket + (low >> 1)) & (RUN_TIME_BUCKETS - 1);
}

/* Ends a run: the last thing that a program does after `probe_begin` was true. */
static __always_inline void probe_end(struct probe *probe)
{
#ifndef STATISTICS_OFF
	__u64 mask = (1ULL << (run_time_sample_shift & 63)) - 1;

	if (!(probe_counter(probe, completions) & mask)) {
		__u64 elapsed_ns = bpf_ktime_get_ns() - probe->now_ns;

		probe_count(probe, run_time_log2[run_time_bucket(elapsed_ns)]);
		probe_count_by(probe, timed_run_ns, elapsed_ns);
	}
	probe_count(probe, completions);
#endif
}

/* The event counts before any fate of it: whoever reads in between finds it under way. */
static __always_inline void probe_count_seen(struct probe *probe, __u16 type)
{
	probe_count(probe, events_seen);
	probe_count(probe, seen_by_type[type & (EVENT_TYPES_MAX - 1)]);
	asm volatile("" ::: "memory");
}

static __always_inline void probe_count_filter(struct probe *probe, bool passed)
{
	if (passed)
		probe_count(probe, filter_hits);
	else
		probe_count(probe, filter_misses);
}

static __always_inline void probe_count_sent(struct probe *probe, __u16 type, __u32 bytes)
{
	probe_count(probe, events_sent);
	probe_count(probe, sent_by_type[type & (EVENT_TYPES_MAX - 1)]);
	probe_count_by(probe, bytes_processed, bytes);
}

/* Number of an event that is to be delivered, from 1; the lost ones have theirs too. */
static __always_inline __u64 probe_next_sequence(struct probe *probe)
{
	probe_count(probe, sequence);
	return probe_counter(probe, sequence);
}

static __always_inline void probe_count_ring_full(struct probe *probe)
{
	probe_count(probe, events_dropped);
	probe_count(probe, dropped_ring_full);
}

static __always_inline void probe_count_ring_reserved(struct probe *probe)
{
	probe_count(probe, events_dropped);
	probe_count(probe, dropped_ring_reserved);
}

/* The names of the original report, for a `struct probe probe` in scope. */
#define update_probe_stats_invocation() probe_count_invocation(&probe)
#define update_probe_stats_filter(passed) probe_count_filter(&probe, passed)
#define update_probe_stats_event_sent(bytes) probe_count_sent(&probe, 0, bytes)
#define update_probe_stats_event_dropped() probe_count_ring_full(&probe)
#define update_probe_stats_error() probe_count(&probe, errors)

#endif
