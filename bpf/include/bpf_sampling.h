/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sampling decision: keep an event iff R >= T, both 56 bits. T comes from a table by the event's
 * type and class; R from the kernel's generator, or from a keyed hash where the same connection (or
 * thread) has to be kept by every program and node that asks for the same rate.
 *
 * The table has two sets of rules and a generation that selects one. User space writes the idle set
 * and then counts the generation up. A run that finds the generation changed under its hands keeps
 * the event with T = 0: a probability of 1 that the record states truthfully, so no estimate is
 * biased by an update.
 */
#ifndef TAPIO_BPF_SAMPLING_H
#define TAPIO_BPF_SAMPLING_H

#include "admission.h"
#include "bpf_stats.h"
#include "event_facts.h"

#define SAMPLING_BITS 56
#define SAMPLING_MASK ((1ULL << SAMPLING_BITS) - 1)
/* R in two draws: the first decides nearly always. */
#define SAMPLING_LOW_BITS 24

#define SAMPLING_TYPES EVENT_TYPES_MAX
#define SAMPLING_CLASSES 4
/* Epochs whose counts are kept apart: the present one and those before it. */
#define SAMPLING_EPOCHS_KEPT 4

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
	__u64 words[SAMPLING_TYPES * SAMPLING_CLASSES];
};

struct sampling_table {
	__u64 generation; /* its low bit selects the rules */
	struct sampling_rules rules[2];
};

/* In a section of its own, as the settings of every gate: to user space a map, to programs a load. */
struct sampling_table sampling SEC(".data.sampling");

/* Events that reached the decision, and those that it kept, of one stratum on one CPU. */
struct sampling_count {
	__u64 generation; /* that `seen` and `kept` belong to */
	__u64 seen;
	__u64 kept;
	__u64 total_seen;
	__u64 total_kept;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SAMPLING_EPOCHS_KEPT * SAMPLING_TYPES * SAMPLING_CLASSES);
	__type(key, __u32);
	__type(value, struct sampling_count);
} sampling_counts SEC(".maps");

/* Key of the hash. Whoever samples with the same seed keeps the same connections. */
const volatile __u64 sampling_seed = 0;

/* Finalizer of a 64-bit hash: every bit of the result depends on every bit of the argument. */
static __always_inline __u64 sampling_mix(__u64 value)
{
	value ^= value >> 33;
	value *= 0xff51afd7ed558ccdULL;
	value ^= value >> 33;
	value *= 0xc4ceb9fe1a85ec53ULL;
	value ^= value >> 33;
	return value;
}

/* The same for both directions of a connection; without a network, by thread. */
static __always_inline __u64 sampling_hash(const struct event_facts *facts)
{
	const struct network_facts *network = &facts->network;
	const __u64 *source = (const __u64 *)network->source_address;
	const __u64 *destination = (const __u64 *)network->destination_address;
	__u64 one, other;

	if (!network->family)
		return sampling_mix(sampling_mix(sampling_seed ^ facts->task.tid) ^
				    facts->task.pid) &
		       SAMPLING_MASK;
	one = sampling_mix(source[0] ^ sampling_mix(source[1] ^ network->source_port));
	other = sampling_mix(destination[0] ^
			     sampling_mix(destination[1] ^ network->destination_port));
	return sampling_mix((one + other) ^ sampling_seed ^ network->protocol) & SAMPLING_MASK;
}

static __always_inline __u32 sampling_class_of(const struct sampling_rules *rules,
					       const struct event_facts *facts)
{
	if (facts->error)
		return SAMPLING_ERROR;
	if (rules->slow_ns && facts->latency_known && facts->latency_ns >= rules->slow_ns)
		return SAMPLING_SLOW;
	return facts->priority >= rules->priority_from ? SAMPLING_PRIORITY : SAMPLING_BASE;
}

static __always_inline void sampling_count(__u64 generation, __u32 stratum, bool keep)
{
	__u32 slot = (generation % SAMPLING_EPOCHS_KEPT) * (SAMPLING_TYPES * SAMPLING_CLASSES) +
		     stratum;
	struct sampling_count *count = bpf_map_lookup_elem(&sampling_counts, &slot);

	if (!count)
		return;
	if (count->generation != generation) {
		count->generation = generation;
		count->seen = 0;
		count->kept = 0;
	}
	count->seen++;
	count->total_seen++;
	if (keep) {
		count->kept++;
		count->total_kept++;
	}
}

/* Draws R where T leaves something to decide; R of a rejected event is nobody's business. */
static __always_inline void sampling_draw(struct sampling_decision *decision, __u64 threshold)
{
	__u64 high = bpf_get_prandom_u32();

	if (high < threshold >> SAMPLING_LOW_BITS) {
		decision->keep = false;
		return;
	}
	decision->randomness = (high << SAMPLING_LOW_BITS) |
			       (bpf_get_prandom_u32() & ((1U << SAMPLING_LOW_BITS) - 1));
	decision->keep = decision->randomness >= threshold;
}

/*
 * SAMPLING_FIXED is 0 or 1 in objects of the benchmark, which say what a decision costs: always no,
 * always yes.
 */
#ifdef SAMPLING_FIXED
static __always_inline void sampling_decide(struct sampling_decision *decision, struct probe *probe,
					    const struct event_facts *facts)
{
	decision->word = 0;
	decision->randomness = 0;
	decision->stratum = 0;
	decision->keep = SAMPLING_FIXED;
}
#else
static __always_inline void sampling_decide(struct sampling_decision *decision, struct probe *probe,
					    const struct event_facts *facts)
{
	const __u32 type = facts->type & (SAMPLING_TYPES - 1);
	const __u64 generation = *(volatile __u64 *)&sampling.generation;
	const struct sampling_rules *rules = &sampling.rules[generation & 1];
	__u64 word;
	__u32 stratum;

	decision->randomness = 0;
	stratum = type * SAMPLING_CLASSES + sampling_class_of(rules, facts);
	/* The verifier must see the bound at the register that becomes the offset. */
	asm volatile("" : "+r"(stratum));
	stratum &= SAMPLING_TYPES * SAMPLING_CLASSES - 1;
	word = *(volatile __u64 *)&rules->words[stratum];
	/* The set may have been rewritten meanwhile: then certainty is the honest answer. */
	if (*(volatile __u64 *)&sampling.generation != generation ||
	    word >> SAMPLING_BITS != (generation & 0xff))
		word = generation << SAMPLING_BITS;
	decision->word = word;
	decision->stratum = stratum;
	if (rules->flags & SAMPLING_CONSISTENT) {
		decision->randomness = sampling_hash(facts);
		decision->keep = decision->randomness >= (word & SAMPLING_MASK);
	} else {
		sampling_draw(decision, word & SAMPLING_MASK);
	}
	sampling_count(generation, stratum, decision->keep);
}
#endif

EMIT_TYPE(struct sampling_count, emit_sampling_count);
EMIT_TYPE(enum sampling_class, emit_sampling_class);

#endif
