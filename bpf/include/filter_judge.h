/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Holds one event against one rule set. What comes out lies in the caller's `struct filter_cpu`. */
#ifndef TAPIO_FILTER_JUDGE_H
#define TAPIO_FILTER_JUDGE_H

#include "event_facts.h"
#include "filter_subject.h"
#include "filter_tables.h"

enum { FILTER_AF_INET = 2, FILTER_AF_INET6 = 10 };
enum { FILTER_SIDE_SOURCE = 1, FILTER_SIDE_DESTINATION = 2 };

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

/* Looks one number up, among the rules and among the shadow rules, where there are any of its kind. */
static __always_inline __u64 filter_match_scalar(__u32 program,
						 const struct filter_generation *rules, __u64 said,
						 __u32 number, __u32 kind, __u32 region)
{
	__u64 where = filter_region(rules, region);
	__u32 seed = rules->seed;
	__u32 value;

	if (rules->kinds >> kind & 1) {
		value = filter_find_scalar(number, kind, where, seed);
		if (value)
			said = filter_hear(program, said, value, false);
	}
	if (rules->shadow_kinds >> kind & 1) {
		value = filter_find_scalar(number, kind | FILTER_KIND_SHADOW, where, seed);
		if (value)
			said = filter_hear(program, said, value, true);
	}
	return said;
}

__attribute__((noinline)) __u64 filter_match_network4(__u32 program, __u32 half, __u64 source,
						      __u64 destination)
{
	const struct filter_generation *rules = filter_generation_of(half);
	__u64 where = filter_region(rules, FILTER_REGION_NETWORK4);
	__u32 seed = rules->seed;
	__u64 said = 0;

	for (__u32 i = 0; i < FILTER_SHAPES_MAX; i++) {
		const struct filter_shape4 *shape = &rules->shapes4[i];
		__u64 mask = shape->mask;
		__u64 tag = shape->tag;
		__u32 shadow = shape->shadow;
		__u32 sides = shape->sides;
		__u32 value;

		if (i >= rules->shapes4_count)
			break;
		if (sides & FILTER_SIDE_SOURCE) {
			value = filter_find_network4((source & mask) | tag, where, seed);
			if (value)
				said = filter_hear(program, said, value, shadow);
		}
		if (sides & FILTER_SIDE_DESTINATION) {
			value = filter_find_network4((destination & mask) | tag, where, seed);
			if (value)
				said = filter_hear(program, said, value, shadow);
		}
	}
	return said;
}

static __always_inline __u32 filter_find_end6(const struct filter_shape6 *shape,
					      const __u64 *address, __u32 rest, __u64 where,
					      __u32 seed)
{
	return filter_find_wide(address[0] & shape->mask_high, address[1] & shape->mask_low,
				(rest & shape->mask_rest) | shape->tag, where, seed);
}

__attribute__((noinline)) __u64 filter_match_network6(__u32 program, __u32 half)
{
	const struct filter_generation *rules = filter_generation_of(half);
	struct filter_cpu *cpu = bpf_map_lookup_elem(&filter_cpus, &program);
	const struct network_facts *network;
	const __u64 *source, *destination;
	__u32 source_rest, destination_rest, seed;
	__u64 where, said = 0;

	if (!cpu)
		return 0;
	network = &cpu->facts.network;
	source = (const __u64 *)network->source_address;
	destination = (const __u64 *)network->destination_address;
	source_rest = network->source_port | network->protocol << 16;
	destination_rest = network->destination_port | network->protocol << 16;
	where = filter_region(rules, FILTER_REGION_NETWORK6);
	seed = rules->seed;
	for (__u32 i = 0; i < FILTER_SHAPES_MAX; i++) {
		const struct filter_shape6 *shape = &rules->shapes6[i];
		__u32 shadow = shape->shadow;
		__u32 sides = shape->sides;
		__u32 value;

		if (i >= rules->shapes6_count)
			break;
		if (sides & FILTER_SIDE_SOURCE) {
			value = filter_find_end6(shape, source, source_rest, where, seed);
			if (value)
				said = filter_hear(program, said, value, shadow);
		}
		if (sides & FILTER_SIDE_DESTINATION) {
			value = filter_find_end6(shape, destination, destination_rest, where, seed);
			if (value)
				said = filter_hear(program, said, value, shadow);
		}
	}
	return said;
}

/* The upper half of ::ffff:0:0/96, as it lies in memory. */
#define FILTER_MAPPED 0xffff0000u

/* Whether both ends are IPv4 addresses in IPv6 form, as sockets that speak both have them. */
static __always_inline bool filter_is_mapped(const __u64 *source, const __u64 *destination)
{
	return !source[0] && !destination[0] && (__u32)source[1] == FILTER_MAPPED &&
	       (__u32)destination[1] == FILTER_MAPPED;
}

static __always_inline __u64 filter_match_network(__u32 program, __u32 half,
						  const struct network_facts *network)
{
	const __u64 *source = (const __u64 *)network->source_address;
	const __u64 *destination = (const __u64 *)network->destination_address;
	__u64 protocol = (__u64)network->protocol << 48;
	__u64 source_port = (__u64)network->source_port << 32;
	__u64 destination_port = (__u64)network->destination_port << 32;

	if (network->family == FILTER_AF_INET)
		return filter_match_network4(program, half, (__u32)source[0] | source_port | protocol,
					     (__u32)destination[0] | destination_port | protocol);
	if (network->family != FILTER_AF_INET6)
		return 0;
	if (filter_is_mapped(source, destination))
		return filter_match_network4(program, half, source[1] >> 32 | source_port | protocol,
					     destination[1] >> 32 | destination_port | protocol);
	return filter_match_network6(program, half);
}

/* What ids with this upper half are in the scalar table; 0 where no rule is about such an id. */
__attribute__((noinline)) __u32 filter_cgroup_kind(__u32 half, __u32 high)
{
	const struct filter_generation *rules = filter_generation_of(half);

	for (__u32 i = 0; i < FILTER_CGROUP_HIGHS; i++) {
		if (i >= rules->cgroup_highs_count)
			break;
		if (rules->cgroup_high[i] == high)
			return FILTER_KIND_CGROUP + i;
	}
	return 0;
}

/* A number of a kind that is a variable. */
__attribute__((noinline)) __u64 filter_match_number(__u32 program_half, __u64 said, __u32 number,
						    __u32 kind, __u32 region)
{
	const struct filter_generation *rules = filter_generation_of(program_half & 1);

	if (region >= FILTER_REGIONS)
		return said;
	return filter_match_scalar(program_half >> 1, rules, said, number, kind & 31, region);
}

__attribute__((noinline)) __u64 filter_match_cgroups(__u32 program, __u32 half)
{
	struct filter_cpu *cpu = bpf_map_lookup_elem(&filter_cpus, &program);
	__u64 said = 0;

	if (!cpu)
		return 0;
	for (__u32 level = 0; level < FILTER_CGROUP_LEVELS; level++) {
		__u64 id = cpu->subject.cgroups[level];
		__u32 kind;

		if (level >= cpu->subject.cgroups_count)
			break;
		kind = filter_cgroup_kind(half, id >> 32);
		if (kind)
			said = filter_match_number(program << 1 | half, said, (__u32)id, kind,
						   FILTER_REGION_CGROUP);
	}
	return said;
}

static __always_inline __u64 filter_match_namespaces(__u32 program, __u32 half,
						     const struct filter_generation *rules,
						     const struct filter_subject *subject)
{
	__u32 kinds = (rules->kinds | rules->shadow_kinds) >> FILTER_KIND_NAMESPACE;
	__u64 said = 0;

	for (__u32 kind = 0; kind < FILTER_NAMESPACES; kind++)
		if (kinds >> kind & 1)
			said = filter_match_number(program << 1 | half, said,
						   subject->namespaces[kind],
						   FILTER_KIND_NAMESPACE + kind,
						   FILTER_REGION_NAMESPACE);
	return said;
}

static __always_inline __u64 filter_match_command(__u32 program,
						  const struct filter_generation *rules,
						  const __u64 *command)
{
	__u64 where = filter_region(rules, FILTER_REGION_COMMAND);
	__u32 tag = FILTER_KIND_COMMAND << 24;
	__u32 shadow_tag = (FILTER_KIND_COMMAND | FILTER_KIND_SHADOW) << 24;
	__u32 seed = rules->seed;
	__u64 said = 0;
	__u32 value;

	if (rules->kinds >> FILTER_KIND_COMMAND & 1) {
		value = filter_find_wide(command[0], command[1], tag, where, seed);
		if (value)
			said = filter_hear(program, said, value, false);
	}
	if (rules->shadow_kinds >> FILTER_KIND_COMMAND & 1) {
		value = filter_find_wide(command[0], command[1], shadow_tag, where, seed);
		if (value)
			said = filter_hear(program, said, value, true);
	}
	return said;
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

/* Holds the event that lies in this CPU's room against the rules of one generation. */
__attribute__((noinline)) int filter_judge_by(__u32 program, __u32 half)
{
	const struct filter_generation *rules = filter_generation_of(half);
	struct filter_cpu *cpu = bpf_map_lookup_elem(&filter_cpus, &program);
	struct filter_hearing *heard;
	const struct event_facts *facts;
	struct filter_subject *subject;
	__u32 consulted;

	if (!cpu)
		return 0;
	facts = &cpu->facts;
	subject = &cpu->subject;
	heard = &cpu->heard;
	*heard = (struct filter_hearing){};
	consulted = rules->consulted;
	cpu->match.consulted = consulted;
	cpu->match.counted_count = 0;
	filter_subject_read(subject, rules, facts);
	if (consulted & FILTER_PID)
		filter_take(heard,
			    filter_match_scalar(program, rules, 0, facts->task.pid,
						FILTER_KIND_PID, FILTER_REGION_PID),
			    FILTER_PID);
	if (consulted & FILTER_NAMESPACE)
		filter_take(heard, filter_match_namespaces(program, half, rules, subject),
			    FILTER_NAMESPACE);
	if (consulted & FILTER_NETWORK)
		filter_take(heard, filter_match_network(program, half, &facts->network),
			    FILTER_NETWORK);
	if (consulted & FILTER_CGROUP)
		filter_take(heard, filter_match_cgroups(program, half), FILTER_CGROUP);
	if (consulted & FILTER_UID)
		filter_take(heard,
			    filter_match_scalar(program, rules, 0, facts->task.uid,
						FILTER_KIND_UID, FILTER_REGION_UID),
			    FILTER_UID);
	if (consulted & FILTER_COMMAND)
		filter_take(heard, filter_match_command(program, rules, subject->command),
			    FILTER_COMMAND);
	filter_conclude(&cpu->match, heard, rules);
	return 0;
}

#endif
