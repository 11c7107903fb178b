/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What rules may ask of the current task beyond `struct event_facts`; read only where a rule asks.
 * FILTER_SUBJECT_GIVEN leaves the reading out, for tests that say what the task is.
 */
#ifndef TAPIO_FILTER_SUBJECT_H
#define TAPIO_FILTER_SUBJECT_H

#include "event_facts.h"
#include "filter_tables.h"

struct filter_subject {
	/* From the root on. One that lies deeper than these levels has the last place. */
	__u64 cgroups[FILTER_CGROUP_LEVELS];
	__u32 cgroups_count;
	__u32 namespaces[FILTER_NAMESPACES];
	__u64 command[2];
};

#ifndef FILTER_SUBJECT_GIVEN

#include "namespaces.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Up to 6.0. */
struct cgroup___ids {
	int level;
	__u64 ancestor_ids[1];
};

struct css_set___ids {
	struct cgroup___ids *dfl_cgrp;
};

struct task_struct___filters {
	struct css_set___ids *cgroups;
};

#pragma clang attribute pop

/*
 * The helper came to tracing programs in 5.14; kernels before 6.1 keep the ids in an array that can be
 * read at once. The branch that does not apply is dead code to the verifier.
 */
static __always_inline void filter_read_cgroups(struct filter_subject *subject, __u64 leaf)
{
	__u32 level;

	if (bpf_core_field_exists(struct cgroup___ids, ancestor_ids)) {
		struct task_struct___filters *task = (void *)bpf_get_current_task();
		struct cgroup___ids *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);

		level = BPF_CORE_READ(cgroup, level);
		subject->cgroups_count = 0;
		if (level >= FILTER_CGROUP_LEVELS)
			level = FILTER_CGROUP_LEVELS - 1;
		bpf_probe_read_kernel(
			subject->cgroups, ((level & (FILTER_CGROUP_LEVELS - 1)) + 1) * sizeof(__u64),
			(const char *)cgroup +
				bpf_core_field_offset(struct cgroup___ids, ancestor_ids));
		level++;
	} else {
		for (level = 0; level < FILTER_CGROUP_LEVELS; level++) {
			__u64 id = bpf_get_current_ancestor_cgroup_id(level);

			if (!id)
				break;
			subject->cgroups[level] = id;
		}
	}
	if (level == FILTER_CGROUP_LEVELS)
		subject->cgroups[FILTER_CGROUP_LEVELS - 1] = leaf;
	subject->cgroups_count = level;
}

#endif

/* Completes `subject` as far as `rules` ask. */
static __always_inline void filter_subject_read(struct filter_subject *subject,
						const struct filter_generation *rules,
						const struct event_facts *facts)
{
	subject->namespaces[FILTER_NAMESPACE_PID] = facts->task.pid_namespace;
	subject->namespaces[FILTER_NAMESPACE_NET] = facts->task.net_namespace;
	subject->namespaces[FILTER_NAMESPACE_MNT] = facts->task.mnt_namespace;
#ifndef FILTER_SUBJECT_GIVEN
	if ((rules->kinds | rules->shadow_kinds) >> (FILTER_KIND_NAMESPACE + FILTER_NAMESPACE_UTS) &
	    0xf)
		namespaces_read(&subject->namespaces[FILTER_NAMESPACE_UTS],
				&subject->namespaces[FILTER_NAMESPACE_IPC],
				&subject->namespaces[FILTER_NAMESPACE_CGROUP],
				&subject->namespaces[FILTER_NAMESPACE_USER]);
	if (rules->consulted & FILTER_CGROUP)
		filter_read_cgroups(subject, facts->task.cgroup_id);
	if (rules->consulted & FILTER_COMMAND)
		bpf_get_current_comm(subject->command, sizeof(subject->command));
#endif
}

#endif
