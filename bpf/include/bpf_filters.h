/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where events are judged before they cost anything. For now one rule, fixed at load time: leave out
 * the collector itself, whose own work would otherwise feed it, and optionally everybody else.
 */
#ifndef TAPIO_BPF_FILTERS_H
#define TAPIO_BPF_FILTERS_H

#include "task.h"

/* Process that is never reported: the collector. 0 = none. */
const volatile __u32 excluded_pid = 0;
/* Only process, cgroup (exact id) or network namespace to report. 0 = any. */
const volatile __u32 only_pid = 0;
const volatile __u64 only_cgroup_id = 0;
const volatile __u32 only_net_namespace = 0;

/* Generation of the rule set that judges; rules are fixed at load time, so there is one. */
static __always_inline __u32 filter_generation(void)
{
	return 0;
}

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

/* Token buckets sit here, between filters and sampling; without a limit everything is admitted. */
static __always_inline bool rate_limit_admits(void)
{
	return true;
}

#endif
