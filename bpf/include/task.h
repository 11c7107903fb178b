/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a program knows of the task it runs in. */
#ifndef TAPIO_TASK_H
#define TAPIO_TASK_H

#include "event.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

struct task_facts {
	__u64 cgroup_id;
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 pid_namespace;
	__u32 net_namespace;
	__u32 mnt_namespace;
};

/*
 * The PID namespace that the task lives in. `nsproxy->pid_ns_for_children` would be the one its
 * children get, which differs after unshare(2).
 */
static __always_inline __u32 task_pid_namespace(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct pid_namespace *namespace = NULL;
	const char *numbers;
	__u32 level;

	if (!pid)
		return 0;
	level = BPF_CORE_READ(pid, level);
	numbers = (const char *)__builtin_preserve_access_index(&pid->numbers[0]);
	bpf_probe_read_kernel(&namespace, sizeof(namespace),
			      numbers + level * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, ns));
	return namespace ? BPF_CORE_READ(namespace, ns.inum) : 0;
}

static __always_inline void task_facts_read(struct task_facts *facts)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct nsproxy *namespaces = BPF_CORE_READ(task, nsproxy);

	facts->pid = pid_tgid >> 32;
	facts->tid = (__u32)pid_tgid;
	facts->uid = (__u32)bpf_get_current_uid_gid();
	facts->cgroup_id = bpf_get_current_cgroup_id();
	facts->pid_namespace = task_pid_namespace(task);
	/* A task that is exiting has lost its namespaces already. */
	facts->net_namespace = namespaces ? BPF_CORE_READ(namespaces, net_ns, ns.inum) : 0;
	facts->mnt_namespace = namespaces ? BPF_CORE_READ(namespaces, mnt_ns, ns.inum) : 0;
}

#endif
