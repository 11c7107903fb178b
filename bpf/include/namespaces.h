/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Namespaces of the current task beyond those of `struct task_facts`. */
#ifndef TAPIO_NAMESPACES_H
#define TAPIO_NAMESPACES_H

#include "task.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct uts_namespace {
	struct ns_common ns;
};

struct ipc_namespace {
	struct ns_common ns;
};

struct cgroup_namespace {
	struct ns_common ns;
};

struct user_namespace {
	struct ns_common ns;
};

struct nsproxy___further {
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct cgroup_namespace *cgroup_ns;
};

struct cred {
	struct user_namespace *user_ns;
};

struct task_struct___further {
	const struct cred *cred;
	struct nsproxy___further *nsproxy;
};

#pragma clang attribute pop

/* Inode numbers; 0 for those that a task which is exiting has lost already. */
static __always_inline void namespaces_read(__u32 *uts, __u32 *ipc, __u32 *cgroup, __u32 *user)
{
	struct task_struct___further *task = (void *)bpf_get_current_task();
	struct nsproxy___further *namespaces = BPF_CORE_READ(task, nsproxy);

	*uts = namespaces ? BPF_CORE_READ(namespaces, uts_ns, ns.inum) : 0;
	*ipc = namespaces ? BPF_CORE_READ(namespaces, ipc_ns, ns.inum) : 0;
	*cgroup = namespaces ? BPF_CORE_READ(namespaces, cgroup_ns, ns.inum) : 0;
	*user = BPF_CORE_READ(task, cred, user_ns, ns.inum);
}

#endif
