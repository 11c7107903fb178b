/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where events are judged before they cost anything. For now one rule, fixed at load time: leave out
 * the collector itself, whose own work would otherwise feed it, and optionally everybody else.
 */
#ifndef TAPIO_BPF_FILTERS_H
#define TAPIO_BPF_FILTERS_H

#include "admission.h"
#include "bpf_stats.h"
#include "event_facts.h"

/* Process that is never reported: the collector. 0 = none. */
const volatile __u32 excluded_pid = 0;
/* Only process, cgroup (exact id) or network namespace to report. 0 = any. */
const volatile __u32 only_pid = 0;
const volatile __u64 only_cgroup_id = 0;
const volatile __u32 only_net_namespace = 0;

static __always_inline bool should_capture_task(const struct task_facts *facts)
{
	if (excluded_pid && facts->pid == excluded_pid)
		return false;
	if (only_pid && facts->pid != only_pid)
		return false;
	if (only_cgroup_id && facts->cgroup_id != only_cgroup_id)
		return false;
	return !only_net_namespace || facts->net_namespace == only_net_namespace;
}

/* Judges one event by the rules in force; rules are fixed at load time, so there is one generation. */
static __always_inline void filter_judge(struct filter_verdict *verdict, struct probe *probe,
					 const struct event_facts *facts)
{
	verdict->generation = 0;
	verdict->rule = 0;
	verdict->shadow_rejected = false;
	verdict->pass = should_capture_task(&facts->task);
}

#endif
