/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where events are judged before they cost anything, by rules that user space puts in force:
 *
 *   a matching deny rule rejects; otherwise each type that has allow rules must be matched by one
 *   of them; otherwise the event passes.
 *
 * The rules lie in hash tables with buckets of a few rules, two buckets for each key, so a lookup
 * costs the same for ten rules and for 100,000. Tables lie in arrays that user space maps and
 * writes. There are two generations of everything: one is in force, the other is rewritten, and the
 * parity of `filters.current` says which (docs/decisions/010-filter-generations.md).
 */
#ifndef TAPIO_BPF_FILTERS_H
#define TAPIO_BPF_FILTERS_H

#include "admission.h"
#include "bpf_stats.h"
#include "event_facts.h"
#include "filter_judge.h"

/* Process whose doing is never reported: the collector. 0 = none. */
const volatile __u32 excluded_pid = 0;
/* Only process, cgroup (exact id) or network namespace to report. 0 = any. */
const volatile __u32 only_pid = 0;
const volatile __u64 only_cgroup_id = 0;
const volatile __u32 only_net_namespace = 0;

/* Events that single rules matched, for rules that are counted. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, FILTER_COUNTED_RULES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u64);
} filter_rule_hits SEC(".maps");

static __always_inline bool should_capture_task(const struct event_facts *facts)
{
	const struct task_facts *task = &facts->task;

	if (excluded_pid && facts->actor_pid == excluded_pid)
		return false;
	if (only_pid && task->pid != only_pid)
		return false;
	if (only_cgroup_id && task->cgroup_id != only_cgroup_id)
		return false;
	return !only_net_namespace || task->net_namespace == only_net_namespace;
}

__attribute__((noinline)) int filter_count_rules(__u32 program)
{
	struct filter_cpu *cpu = bpf_map_lookup_elem(&filter_cpus, &program);

	if (!cpu)
		return 0;
	for (__u32 i = 0; i < FILTER_COUNTED_PER_EVENT; i++) {
		__u64 *hits;

		if (i >= cpu->match.counted_count)
			break;
		hits = bpf_map_lookup_elem(&filter_rule_hits, &cpu->match.counted[i]);
		if (hits)
			(*hits)++;
	}
	return 0;
}

static __always_inline void filter_count(__u32 program, struct filter_cpu *cpu)
{
	struct filter_match *match = &cpu->match;

	cpu->hits[match->matched & (FILTER_OUTCOMES - 1)]++;
	cpu->misses[match->consulted & ~match->matched & (FILTER_OUTCOMES - 1)]++;
	cpu->shadow_rejected += match->shadow_rejected;
	if (match->counted_count)
		filter_count_rules(program);
}

/*
 * The fast way: no rule set is written while it is in force, so if the same one is in force after the
 * judgement as before, nothing else was read. Else once more, with a mark that no change overtakes:
 * whoever writes the generation that is not in force waits until no mark is set.
 */
static __always_inline __u32 filter_judge_generation(__u32 program, struct filter_cpu *cpu)
{
	__u32 generation = *(volatile __u32 *)&filters.current;

	filter_judge_by(program, generation & 1);
	asm volatile("" ::: "memory");
	if (*(volatile __u32 *)&filters.current != generation) {
		__sync_fetch_and_add(&filters.judging, 1);
		generation = *(volatile __u32 *)&filters.current;
		filter_judge_by(program, generation & 1);
		asm volatile("" ::: "memory");
		__sync_fetch_and_add(&filters.judging, -1);
		cpu->again++;
	}
	return generation;
}

/* Whether `generation`, which was in force just now, has nothing to judge by. */
static __always_inline bool filter_passes_all(__u32 generation)
{
	bool judges = *(volatile __u32 *)&filters.generations[generation & 1].judges;

	return !judges && *(volatile __u32 *)&filters.current == generation;
}

/* Judges one event by the rules in force. */
static __always_inline void filter_judge(struct filter_verdict *verdict, struct probe *probe,
					 const struct event_facts *facts)
{
	struct filter_cpu *cpu;

	verdict->rule = 0;
	verdict->shadow_rejected = false;
	verdict->pass = should_capture_task(facts);
	verdict->generation = *(volatile __u32 *)&filters.current;
	if (!verdict->pass || filter_passes_all(verdict->generation))
		return;
	cpu = bpf_map_lookup_elem(&filter_cpus, &probe->program);
	if (!cpu)
		return;
	cpu->facts.task = facts->task;
	if (facts->network.family)
		cpu->facts.network = facts->network;
	else
		cpu->facts.network.family = 0;
	verdict->generation = filter_judge_generation(probe->program, cpu);
	filter_count(probe->program, cpu);
	verdict->pass = cpu->match.pass;
	verdict->rule = cpu->match.denied_by ? cpu->match.denied_by : cpu->match.allowed_by;
	verdict->shadow_rejected = cpu->match.shadow_rejected;
}

/*
 * The original report's question, for a `struct probe probe` in scope: would an event of the current
 * task pass, if it were of this process and PID namespace?
 */
#define should_capture_event(process, namespace_id)                                                \
	({                                                                                         \
		struct filter_verdict captured;                                                    \
		struct event_facts described;                                                      \
		event_facts_begin(&described, 0);                                                  \
		described.task.pid = (process);                                                    \
		described.actor_pid = (process);                                                   \
		described.task.pid_namespace = (namespace_id);                                     \
		filter_judge(&captured, &probe, &described);                                       \
		captured.pass;                                                                     \
	})

#endif
