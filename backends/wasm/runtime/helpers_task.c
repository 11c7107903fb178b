// SPDX-License-Identifier: Apache-2.0
/* The task that the CPU runs, and storage that hangs on tasks and cgroups. */
#include "helpers.h"
#include "map_storage.h"
#include "task.h"

#define STORAGE_CREATE 1u /* BPF_LOCAL_STORAGE_GET_F_CREATE */

/* ---- identity ------------------------------------------------------------------------------- */

RT_HELPER(get_current_pid_tgid)
{
	struct rt_task *task = rt_current_task();

	return (u64)task->pid << 32 | task->tid;
}

RT_HELPER(get_current_uid_gid)
{
	struct rt_task *task = rt_current_task();

	return (u64)task->gid << 32 | task->uid;
}

RT_HELPER(get_current_comm)
{
	const char *comm = rt_current_task()->comm;
	u32 size = (u32)r2;

	rt_check_write(r1, size);
	if (size == 0)
		rt_fault(RT_FAULT_ARGUMENT, r1, 0);
	if (size == RT_COMM_SIZE) {
		memcpy(rt_pointer(r1), comm, RT_COMM_SIZE);
		return 0;
	}
	rt_clear(r1, size);
	memcpy(rt_pointer(r1), comm, size < RT_COMM_SIZE ? size - 1 : RT_COMM_SIZE - 1);
	return 0;
}

RT_HELPER(get_current_task)
{
	return rt_current_task()->kernel_address;
}

RT_HELPER(get_current_task_btf)
{
	return rt_current_task()->kernel_address;
}

struct pid_in_namespace {
	u32 pid; /* tid */
	u32 tgid;
};

RT_HELPER(get_ns_current_pid_tgid)
{
	struct rt_task *task = rt_current_task();
	struct pid_in_namespace *found = rt_pointer(r3);
	u32 size = (u32)r4;

	rt_check_write(r3, size);
	rt_clear(r3, size);
	if (size != sizeof(*found) || r1 != task->namespace_device || r2 != task->pid_namespace)
		return (u64)-EINVAL;
	*found = (struct pid_in_namespace){ task->namespace_tid, task->namespace_pid };
	return 0;
}

/* ---- cgroups -------------------------------------------------------------------------------- */

RT_HELPER(get_current_cgroup_id)
{
	struct rt_task *task = rt_current_task();

	return task->cgroup_ids[task->cgroup_level % RT_CGROUP_LEVELS];
}

RT_HELPER(get_current_ancestor_cgroup_id)
{
	struct rt_task *task = rt_current_task();
	s32 level = (s32)r1;

	if (level < 0 || (u32)level > task->cgroup_level || level >= RT_CGROUP_LEVELS)
		return 0;
	return task->cgroup_ids[level];
}

/* ---- storage -------------------------------------------------------------------------------- */

static struct rt_map *storage_map(u64 address, u32 type)
{
	struct rt_map *map = rt_map_from_pointer(address);

	if (map->type != type)
		rt_fault(RT_FAULT_ARGUMENT, address, 0);
	return map;
}

static u64 storage_get(struct rt_map *map, u64 owner, u64 value, u64 flags)
{
	void *found;

	if (flags & ~(u64)STORAGE_CREATE || owner == 0)
		return 0;
	if (value != 0)
		rt_check_read(value, map->value_size);
	found = rt_storage_find(map, owner);
	if (found == NULL && flags & STORAGE_CREATE)
		found = rt_storage_create(map, owner, rt_pointer(value));
	return rt_address(found);
}

RT_HELPER(task_storage_get)
{
	struct rt_map *map = storage_map(r1, RT_MAP_TASK_STORAGE);

	return rt_task_by_address(r2) == NULL ? 0 : storage_get(map, r2, r3, r4);
}

RT_HELPER(task_storage_delete)
{
	struct rt_map *map = storage_map(r1, RT_MAP_TASK_STORAGE);

	return (u64)(rt_task_by_address(r2) == NULL ? -EINVAL : rt_storage_delete(map, r2));
}

RT_HELPER(cgrp_storage_get)
{
	struct rt_map *map = storage_map(r1, RT_MAP_CGRP_STORAGE);

	return storage_get(map, r2, r3, r4);
}

RT_HELPER(cgrp_storage_delete)
{
	struct rt_map *map = storage_map(r1, RT_MAP_CGRP_STORAGE);

	return (u64)(r2 == 0 ? -EINVAL : rt_storage_delete(map, r2));
}
