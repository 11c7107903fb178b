/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulated tasks. The host writes slots in place (rt_task_address) and says which one each CPU runs
 * (rt_current_tasks_address); offsets are fixed, and checked in task.c.
 */
#ifndef TAPIO_TASK_H
#define TAPIO_TASK_H

#include "runtime.h"

#define RT_COMM_SIZE 16
#define RT_CGROUP_LEVELS 16

struct rt_task {
	u32 pid; /* of the process: the kernel's tgid */
	u32 tid; /* of the thread: the kernel's pid */
	u32 uid;
	u32 gid;
	u32 parent_pid;
	u32 namespace_pid; /* pid and tid as the task's own PID namespace numbers them */
	u32 namespace_tid;
	u32 pid_namespace; /* inode numbers */
	u32 net_namespace;
	u32 mnt_namespace;
	u32 uts_namespace;
	u32 ipc_namespace;
	u32 cgroup_namespace;
	u32 user_namespace;
	u32 time_namespace;
	u32 namespace_device; /* dev_t of nsfs */
	u64 kernel_address;   /* of the simulated task_struct; 0 = none */
	u64 cgroup_address;   /* of the simulated struct cgroup; 0 = none */
	u64 start_time_ns;
	char comm[RT_COMM_SIZE]; /* zeroes after its end, of which the last byte is one */
	u32 cgroup_level; /* 0 = the root cgroup */
	u32 reserved;
	u64 cgroup_ids[RT_CGROUP_LEVELS]; /* by level; the task's own is cgroup_ids[cgroup_level] */
};

/* Slots come in blocks that never move, so addresses of tasks may be kept. */
#define RT_TASKS_PER_BLOCK 64u
extern struct rt_task **rt_task_blocks;
/* The slot of the task that each CPU runs. */
extern u32 rt_current_tasks[RT_CPUS_MAX];

/* One idle task a CPU, in slots 0 to cpus - 1. 0 or -ENOMEM. */
int rt_tasks_init(u32 cpus);

/* The task that rt_cpu runs. */
struct rt_task *rt_current_task(void);

/* The task whose simulated task_struct lies at `address`, or NULL. */
struct rt_task *rt_task_by_address(u64 address);

#endif
