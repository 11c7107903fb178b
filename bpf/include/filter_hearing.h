/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the rules say of one event, type by type, and what follows from all of it. */
#ifndef TAPIO_FILTER_HEARING_H
#define TAPIO_FILTER_HEARING_H

#include "event_facts.h"
#include "filter_subject.h"
#include "filter_tables.h"

/* What became of an event. Masks are of enum filter_type. */
struct filter_match {
	__u32 consulted;
	__u32 matched;
	__u32 denied_by; /* rule id; 0 = none */
	__u32 allowed_by;
	__u32 pass;
	__u32 shadow_rejected;
	__u32 counted_count;
	__u32 counted[FILTER_COUNTED_PER_EVENT]; /* rules that matched and are counted */
};

/* What the rules of one type say of an event, in a word: ids of the first that allows and denies. */
#define FILTER_SAYS_ALLOW 0xffffffULL
#define FILTER_SAYS_DENY (0xffffffULL << 24)
#define FILTER_SAYS_MATCH (1ULL << 48)
#define FILTER_SAYS_SHADOW_ALLOW (1ULL << 49)
#define FILTER_SAYS_SHADOW_DENY (1ULL << 50)

/* What all types say together. Not on the stack: the verifier would tell its states apart. */
struct filter_hearing {
	__u32 matched;
	__u32 allowed;
	__u32 allowed_shadow;
	__u32 denied_shadow;
	__u32 denied_by;
	__u32 allowed_by;
};

/* Of one program on one CPU: counters, and room for the event under judgement. */
struct filter_cpu {
	__u64 hits[FILTER_OUTCOMES]; /* events by the mask of types that had a rule that matched ... */
	__u64 misses[FILTER_OUTCOMES]; /* ... and by the mask of types that had rules but no such */
	__u64 shadow_rejected;
	__u64 again; /* events that were judged twice, because the rules changed meanwhile */
	struct event_facts facts;
	struct filter_subject subject;
	struct filter_hearing heard;
	struct filter_match match;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PROGRAMS_MAX);
	__type(key, __u32);
	__type(value, struct filter_cpu);
} filter_cpus SEC(".maps");

/*
 * The functions below take numbers and find their tables themselves: that makes them global ones,
 * which the verifier looks at once and by themselves, not in every path that leads to them.
 */

static __always_inline const struct filter_generation *filter_generation_of(__u32 half)
{
	return &filters.generations[half & 1];
}

/* Takes note of a rule that matched and is counted. In place: frames below collectors are scarce. */
static __always_inline void filter_note_counted(__u32 program, __u32 rule)
{
	struct filter_cpu *cpu = bpf_map_lookup_elem(&filter_cpus, &program);

	if (!cpu)
		return;
	cpu->match.counted[cpu->match.counted_count & (FILTER_COUNTED_PER_EVENT - 1)] = rule;
	cpu->match.counted_count++;
}

/* What was said before, and what the value of a rule that matched adds to it. */
__attribute__((noinline)) __u64 filter_hear(__u32 program, __u64 said, __u32 value, __u32 shadow)
{
	__u64 rule = value & FILTER_RULE_MASK;
	bool deny = value & FILTER_VALUE_DENY;

	if (value & FILTER_VALUE_COUNTED)
		filter_note_counted(program, rule);
	said |= FILTER_SAYS_MATCH;
	if (shadow)
		return said | (deny ? FILTER_SAYS_SHADOW_DENY : FILTER_SAYS_SHADOW_ALLOW);
	if (deny)
		return said & FILTER_SAYS_DENY ? said : said | rule << 24;
	return said & FILTER_SAYS_ALLOW ? said : said | rule;
}

static __always_inline void filter_take(struct filter_hearing *heard, __u64 said, __u32 type)
{
	__u32 allow = said & FILTER_SAYS_ALLOW;
	__u32 deny = (said & FILTER_SAYS_DENY) >> 24;

	if (!said)
		return;
	heard->matched |= type;
	if (allow) {
		heard->allowed |= type;
		if (!heard->allowed_by)
			heard->allowed_by = allow;
	}
	if (deny && !heard->denied_by)
		heard->denied_by = deny;
	if (said & FILTER_SAYS_SHADOW_ALLOW)
		heard->allowed_shadow |= type;
	if (said & FILTER_SAYS_SHADOW_DENY)
		heard->denied_shadow |= type;
}

static __always_inline void filter_conclude(struct filter_match *match,
					    const struct filter_hearing *heard,
					    const struct filter_generation *rules)
{
	__u32 either = heard->allowed | heard->allowed_shadow;
	bool pass, shadow_pass;

	pass = !heard->denied_by && !(rules->required & ~heard->allowed) &&
	       (!rules->deny_by_default || heard->allowed);
	shadow_pass = !heard->denied_shadow &&
		      !((rules->required | rules->shadow_required) & ~either) &&
		      (!rules->deny_by_default || either);
	match->matched = heard->matched;
	match->denied_by = heard->denied_by;
	match->allowed_by = heard->allowed_by;
	match->pass = pass;
	match->shadow_rejected = pass && !shadow_pass;
}

#endif
