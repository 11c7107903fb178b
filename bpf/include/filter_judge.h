/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Holds one event against one rule set. What comes out lies in the caller's `struct filter_cpu`. */
#ifndef TAPIO_FILTER_JUDGE_H
#define TAPIO_FILTER_JUDGE_H

#include "filter_hearing.h"
#include "filter_network.h"

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
