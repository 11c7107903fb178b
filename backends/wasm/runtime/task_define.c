// SPDX-License-Identifier: Apache-2.0
/*
 * Tasks as the host defines them, field by field, so that no layout of this memory is known outside
 * of C.
 */
#include "task.h"

struct rt_task *rt_task_address(u32 slot);
u32 *rt_current_tasks_address(void);

/* Slots below are the idle tasks, one a CPU. */
RT_EXPORT(task_first_slot) u32 task_first_slot(void)
{
	return RT_CPUS_MAX;
}

/* Up to the NUL, then zeroes, and one at the end: as programs are handed it. */
static void name_task(struct rt_task *task, const char *comm)
{
	u32 length = 0;

	while (length < RT_COMM_SIZE - 1 && comm[length] != 0)
		length++;
	memset(task->comm, 0, RT_COMM_SIZE);
	memcpy(task->comm, comm, length);
}

/* 0 or -ENOMEM. `comm` holds RT_COMM_SIZE bytes. */
RT_EXPORT(task_define)
s32 task_define(u32 slot, u32 pid, u32 tid, u32 parent_pid, u32 uid, u32 gid, u32 cgroup_low,
		u32 cgroup_high, u32 start_low, u32 start_high, u32 kernel_address,
		const char *comm)
{
	struct rt_task *task = rt_task_address(slot);

	if (!task)
		return -ENOMEM;
	task->pid = task->namespace_pid = pid;
	task->tid = task->namespace_tid = tid;
	task->parent_pid = parent_pid;
	task->uid = uid;
	task->gid = gid;
	task->start_time_ns = (u64)start_high << 32 | start_low;
	task->kernel_address = kernel_address;
	name_task(task, comm);
	/* Where the path to the root is not known, the cgroup hangs right below it. */
	task->cgroup_ids[0] = 1;
	task->cgroup_level = 1;
	task->cgroup_ids[1] = (u64)cgroup_high << 32 | cgroup_low;
	return 0;
}

/* Inode numbers of the task's namespaces. */
RT_EXPORT(task_set_namespaces)
s32 task_set_namespaces(u32 slot, u32 pid, u32 net, u32 mnt, u32 uts, u32 ipc, u32 cgroup, u32 user)
{
	struct rt_task *task = rt_task_address(slot);

	if (!task)
		return -ENOMEM;
	task->pid_namespace = pid;
	task->net_namespace = net;
	task->mnt_namespace = mnt;
	task->uts_namespace = uts;
	task->ipc_namespace = ipc;
	task->cgroup_namespace = cgroup;
	task->user_namespace = user;
	return 0;
}

RT_EXPORT(task_set_current) void task_set_current(u32 cpu, u32 slot)
{
	rt_current_tasks_address()[cpu] = slot;
}
