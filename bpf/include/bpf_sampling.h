/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sampling decision: keep an event iff R >= T, both 56 bits. T comes from a table by the event's
 * type and class; R from the kernel's generator, or from a keyed hash where the same connection (or
 * thread) has to be kept by every program and node that asks for the same rate.
 *
 * Where T is large, R is not drawn for each event. An event whose R begins with n ones is a candidate;
 * T begins with n ones too, so others are rejected whatever the rest of R is. How many come
 * before the next candidate is drawn instead, and then the rest of the candidate's R: the same
 * distribution, for an addition and a comparison for each event that is rejected
 * (docs/decisions/011-gaps-between-candidates.md).
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
#include "sampling_tables.h"

/* R in two draws: the first decides nearly always. */
#define SAMPLING_LOW_BITS 24

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

static __always_inline __u32 sampling_class_of(const struct sampling_cpu *rules,
					       const struct event_facts *facts)
{
	if (facts->error)
		return SAMPLING_ERROR;
	if (!rules->further_classes)
		return SAMPLING_BASE;
	if (facts->latency_ns >= rules->slow_from_ns)
		return SAMPLING_SLOW;
	return facts->priority >= rules->priority_from ? SAMPLING_PRIORITY : SAMPLING_BASE;
}

/* Takes a program's counts down as those before an epoch. */
static __always_inline void sampling_end_epoch(const struct sampling_cpu *cpu, __u32 program,
					       __u64 generation)
{
	__u32 slot = program * SAMPLING_EPOCHS_KEPT + generation % SAMPLING_EPOCHS_KEPT;
	struct sampling_epoch *epoch = bpf_map_lookup_elem(&sampling_epochs, &slot);

	if (!epoch)
		return;
	epoch->generation = generation;
	for (__u32 i = 0; i < SAMPLING_STRATA; i++) {
		epoch->seen[i] = cpu->strata[i].seen;
		epoch->kept[i] = cpu->strata[i].kept;
	}
}

/* Follows other rules from here on. Global functions: verified once, whatever their callers know. */
__attribute__((noinline)) int sampling_begin_epoch(__u32 program, __u64 generation)
{
	const struct sampling_rules *rules = &sampling.rules[generation & 1];
	struct sampling_cpu *cpu = bpf_map_lookup_elem(&sampling_cpus, &program);
	const __u64 certain = generation << SAMPLING_BITS;
	bool rewritten = false;

	if (!cpu)
		return 0;
	sampling_end_epoch(cpu, program, generation);
	cpu->generation = generation;
	cpu->slow_from_ns = rules->slow_ns ? rules->slow_ns : ~0ULL;
	cpu->priority_from = rules->priority_from;
	cpu->further_classes = rules->slow_ns || rules->priority_from <= EVENT_PRIORITY_CRITICAL;
	cpu->flags = rules->flags;
	for (__u32 i = 0; i < SAMPLING_STRATA; i++) {
		__u64 word = rules->words[i];

		rewritten |= (word ^ certain) >> SAMPLING_BITS != 0;
		cpu->skip_bits[i] = rules->skip_bits[i];
		cpu->strata[i].word = word;
		cpu->strata[i].candidate = 0;
	}
	asm volatile("" ::: "memory");
	if (!rewritten && *(volatile __u64 *)&sampling.generation == generation)
		return 0;
	/* Certainty is the honest answer to this event; the next one looks again. */
	cpu->generation = ~0ULL;
	cpu->flags = 0;
	for (__u32 i = 0; i < SAMPLING_STRATA; i++) {
		cpu->skip_bits[i] = 0;
		cpu->strata[i].word = certain;
	}
	return 0;
}

/*
 * Events before the next candidate, where each event is one with probability 2^-skip_bits. The binary
 * digits of such a number are independent.
 */
__attribute__((noinline)) __u64 sampling_gap(__u32 skip_bits)
{
	__u64 gap = 0;

	if (skip_bits > SAMPLING_SKIP_BITS_MAX)
		return 0;
	for (__u32 place = 0; place < SAMPLING_GAP_DIGITS; place++) {
		__u32 probability = sampling.gap_digits[skip_bits][place];

		if (!probability)
			break;
		gap |= (__u64)(bpf_get_prandom_u32() < probability) << place;
	}
	return gap;
}

/* Draws R of a candidate; R of a rejected event is nobody's business. */
static __always_inline bool sampling_draw(struct sampling_cpu *cpu, __u64 threshold,
					  __u32 skip_bits)
{
	__u64 high = (__u32)(bpf_get_prandom_u32() | ~(0xffffffffULL >> skip_bits));

	if (high < threshold >> SAMPLING_LOW_BITS)
		return false;
	cpu->randomness = (high << SAMPLING_LOW_BITS) |
			  (bpf_get_prandom_u32() & ((1U << SAMPLING_LOW_BITS) - 1));
	return cpu->randomness >= threshold;
}

static __always_inline bool sampling_keeps(struct sampling_cpu *cpu,
					   struct sampling_stratum *stratum, __u32 skip_bits,
					   __u64 hash)
{
	const __u64 threshold = stratum->word & SAMPLING_MASK;
	bool keep;

	if (cpu->flags & SAMPLING_CONSISTENT) {
		cpu->randomness = hash;
		return hash >= threshold;
	}
	if (!skip_bits)
		return sampling_draw(cpu, threshold, 0);
	if (!stratum->candidate) {
		stratum->candidate = stratum->seen + sampling_gap(skip_bits);
		if (stratum->candidate > stratum->seen)
			return false;
	}
	keep = sampling_draw(cpu, threshold, skip_bits);
	stratum->candidate = stratum->seen + 1 + sampling_gap(skip_bits);
	return keep;
}

/* Decides on an event that no gap rejects, and leaves its R behind. */
__attribute__((noinline)) int sampling_judge(__u32 program, __u32 index, __u64 hash)
{
	struct sampling_cpu *cpu = bpf_map_lookup_elem(&sampling_cpus, &program);
	struct sampling_stratum *stratum;
	bool keep;

	if (!cpu || index >= SAMPLING_STRATA)
		return true;
	stratum = &cpu->strata[index];
	keep = sampling_keeps(cpu, stratum, cpu->skip_bits[index], hash);
	stratum->kept += keep;
	return keep;
}

/* Without rules to decide by. */
static __always_inline void sampling_fix(struct sampling_decision *decision, bool keep)
{
	decision->word = 0;
	decision->randomness = 0;
	decision->stratum = 0;
	decision->keep = keep;
}

/*
 * SAMPLING_FIXED is for the benchmark that says what a decision costs: always the same answer, which
 * user space gives when it opens the object.
 */
#ifdef SAMPLING_FIXED
const volatile bool sampling_answer = false;

static __always_inline void sampling_decide(struct sampling_decision *decision, struct probe *probe,
					    const struct event_facts *facts)
{
	sampling_fix(decision, sampling_answer);
}
#else
static __always_inline void sampling_decide(struct sampling_decision *decision, struct probe *probe,
					    const struct event_facts *facts)
{
	const __u32 type = facts->type & (SAMPLING_TYPES - 1);
	const __u64 generation = *(volatile __u64 *)&sampling.generation;
	struct sampling_cpu *cpu = bpf_map_lookup_elem(&sampling_cpus, &probe->program);
	struct sampling_stratum *stratum;
	__u64 hash = 0;
	__u32 index;

	if (!cpu) {
		sampling_fix(decision, true);
		return;
	}
	if (cpu->generation != generation)
		sampling_begin_epoch(probe->program, generation);
	index = type * SAMPLING_CLASSES + sampling_class_of(cpu, facts);
	/* The verifier must see the bound at the register that becomes the offset. */
	asm volatile("" : "+r"(index));
	index &= SAMPLING_STRATA - 1;
	stratum = &cpu->strata[index];
	stratum->seen++;
	if (stratum->seen < stratum->candidate) {
		decision->keep = false;
		return;
	}
	if (cpu->flags & SAMPLING_CONSISTENT)
		hash = sampling_hash(facts);
	decision->keep = sampling_judge(probe->program, index, hash);
	decision->word = stratum->word;
	decision->randomness = cpu->randomness;
	decision->stratum = index;
}
#endif

#endif
