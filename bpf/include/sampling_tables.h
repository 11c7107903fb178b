/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sampling's rules, as user space writes them, and what each program keeps of them on each CPU. User
 * space reads the layout from BTF (core/sampling/sampling_table.ts).
 */
#ifndef TAPIO_SAMPLING_TABLES_H
#define TAPIO_SAMPLING_TABLES_H

#include "bpf_stats.h"
#include "event.h"

#define SAMPLING_BITS 56
#define SAMPLING_MASK ((1ULL << SAMPLING_BITS) - 1)

#define SAMPLING_TYPES EVENT_TYPES_MAX
#define SAMPLING_CLASSES 4
#define SAMPLING_STRATA (SAMPLING_TYPES * SAMPLING_CLASSES)
/* Epochs whose counts are kept apart: the present one and those before it. */
#define SAMPLING_EPOCHS_KEPT 4

/* Gaps are drawn to candidates of probability 2^-n, for n up to this. */
#define SAMPLING_SKIP_BITS_MAX 16
/* Binary digits of a gap; more have a probability below 2^-33. */
#define SAMPLING_GAP_DIGITS 21

/* What sets an event apart; the first that applies from the end. */
enum sampling_class {
	SAMPLING_BASE = 0,
	SAMPLING_PRIORITY = 1, /* at least `priority_from` */
	SAMPLING_SLOW = 2,     /* took at least `slow_ns` */
	SAMPLING_ERROR = 3,    /* failed */
};

enum sampling_flag {
	SAMPLING_CONSISTENT = 1, /* R is a hash of the connection, or of the thread */
};

struct sampling_rules {
	__u64 slow_ns;	     /* 0: nothing is slow */
	__u32 priority_from; /* above the highest priority: nothing is boosted */
	__u32 flags;	     /* enum sampling_flag */
	/* epoch << 56 | T: one aligned load gives both. The epoch is the generation's low byte. */
	__u64 words[SAMPLING_STRATA];
	/* n, where gaps are drawn: T begins with at least n ones. 0: every event is a candidate. */
	__u8 skip_bits[SAMPLING_STRATA];
};

struct sampling_table {
	__u64 generation; /* its low bit selects the rules */
	struct sampling_rules rules[2];
	/* 2^32 * probability that the digit of a gap is 1, by n. */
	__u32 gap_digits[SAMPLING_SKIP_BITS_MAX + 1][SAMPLING_GAP_DIGITS];
};

/* In a section of its own, as the settings of every gate: to user space a map, to programs a load. */
struct sampling_table sampling SEC(".data.sampling");

/* Of one stratum; counts are those since the object was loaded. */
struct sampling_stratum {
	__u64 seen;
	/* What `seen` is at the next candidate: events before it are rejected. 0: not drawn yet. */
	__u64 candidate;
	__u64 kept;
	__u64 word; /* epoch << 56 | T */
};

/*
 * Of one program on one CPU: the rules that it follows, in a copy that nobody else writes. A program
 * has one run at a time on a CPU: the kernel skips a run that would interrupt another of the same
 * program there, and keeps it from changing its CPU. So plain additions lose nothing.
 */
struct sampling_cpu {
	struct sampling_stratum strata[SAMPLING_STRATA];
	__u64 generation;
	__u64 slow_from_ns; /* more than any duration where nothing is slow; those unknown are 0 */
	__u32 priority_from;
	__u32 further_classes; /* 0: events are of the base class, or errors */
	__u32 flags;
	__u64 randomness; /* R of the event that was judged last */
	__u8 skip_bits[SAMPLING_STRATA];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PROGRAMS_MAX);
	__type(key, __u32);
	__type(value, struct sampling_cpu);
} sampling_cpus SEC(".maps");

/* What the counts of a program on a CPU were when it began to follow a generation. */
struct sampling_epoch {
	__u64 generation;
	__u64 seen[SAMPLING_STRATA];
	__u64 kept[SAMPLING_STRATA];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PROGRAMS_MAX *SAMPLING_EPOCHS_KEPT);
	__type(key, __u32);
	__type(value, struct sampling_epoch);
} sampling_epochs SEC(".maps");

EMIT_TYPE(enum sampling_class, emit_sampling_class);

#endif
