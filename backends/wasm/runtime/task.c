// SPDX-License-Identifier: Apache-2.0
#include "task.h"

#define BLOCKS_MAX 16384u

_Static_assert(offsetof(struct rt_task, kernel_address) == 64, "the host writes by offset");
_Static_assert(offsetof(struct rt_task, comm) == 88, "the host writes by offset");
_Static_assert(offsetof(struct rt_task, cgroup_ids) == 112, "the host writes by offset");
_Static_assert(sizeof(struct rt_task) == 240, "the host writes by offset");

struct rt_task **rt_task_blocks; /* BLOCKS_MAX pointers */
u32 rt_current_tasks[RT_CPUS_MAX];
static u32 block_count;

static struct rt_task *task_at(u32 slot)
{
	return &rt_task_blocks[slot / RT_TASKS_PER_BLOCK][slot % RT_TASKS_PER_BLOCK];
}

/*
 * Address of a slot's struct rt_task, made (zeroed) when it is the first of its block; 0 when memory
 * is used up or `slot` exceeds what any world needs (about a million).
 */
RT_EXPORT(rt_task_address) struct rt_task *rt_task_address(u32 slot)
{
	if (slot / RT_TASKS_PER_BLOCK >= BLOCKS_MAX)
		return NULL;
	for (; block_count <= slot / RT_TASKS_PER_BLOCK; block_count++) {
		rt_task_blocks[block_count] = rt_alloc(RT_TASKS_PER_BLOCK * sizeof(struct rt_task));
		if (rt_task_blocks[block_count] == NULL)
			return NULL;
	}
	return task_at(slot);
}

/* RT_CPUS_MAX words: the slot of the task that each CPU runs. A slot must have been made before. */
RT_EXPORT(rt_current_tasks_address) u32 *rt_current_tasks_address(void)
{
	return rt_current_tasks;
}

int rt_tasks_init(u32 cpus)
{
	block_count = 0;
	rt_task_blocks = rt_alloc(BLOCKS_MAX * sizeof(*rt_task_blocks));
	if (rt_task_blocks == NULL)
		return -ENOMEM;
	for (u32 cpu = 0; cpu < cpus; cpu++) {
		struct rt_task *task = rt_task_address(cpu);

		if (task == NULL)
			return -ENOMEM;
		memcpy(task->comm, "swapper/", 8);
		if (cpu >= 10)
			task->comm[8] = (char)('0' + cpu / 10);
		task->comm[cpu >= 10 ? 9 : 8] = (char)('0' + cpu % 10);
		task->cgroup_ids[0] = 1;
		rt_current_tasks[cpu] = cpu;
	}
	return 0;
}

struct rt_task *rt_current_task(void)
{
	return task_at(rt_current_tasks[rt_cpu]);
}

struct rt_task *rt_task_by_address(u64 address)
{
	struct rt_task *current = rt_current_task();

	if (address == 0)
		return NULL;
	if (current->kernel_address == address)
		return current;
	for (u32 slot = 0; slot < block_count * RT_TASKS_PER_BLOCK; slot++)
		if (task_at(slot)->kernel_address == address)
			return task_at(slot);
	return NULL;
}
