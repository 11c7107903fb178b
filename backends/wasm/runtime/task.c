// SPDX-License-Identifier: Apache-2.0
#include "task.h"

/* Slots come in blocks that never move, so the host may keep their addresses. */
#define BLOCK_SLOTS 64u
#define BLOCKS_MAX 16384u

_Static_assert(offsetof(struct rt_task, kernel_address) == 64, "the host writes by offset");
_Static_assert(offsetof(struct rt_task, comm) == 88, "the host writes by offset");
_Static_assert(offsetof(struct rt_task, cgroup_ids) == 112, "the host writes by offset");
_Static_assert(sizeof(struct rt_task) == 240, "the host writes by offset");

static struct rt_task **blocks; /* BLOCKS_MAX pointers */
static u32 block_count;
static u32 current_slots[RT_CPUS_MAX];

static struct rt_task *task_at(u32 slot)
{
	return &blocks[slot / BLOCK_SLOTS][slot % BLOCK_SLOTS];
}

/*
 * Address of a slot's struct rt_task, made (zeroed) when it is the first of its block; 0 when memory
 * is used up or `slot` exceeds what any world needs (about a million).
 */
RT_EXPORT(rt_task_address) struct rt_task *rt_task_address(u32 slot)
{
	if (slot / BLOCK_SLOTS >= BLOCKS_MAX)
		return NULL;
	for (; block_count <= slot / BLOCK_SLOTS; block_count++) {
		blocks[block_count] = rt_alloc(BLOCK_SLOTS * sizeof(struct rt_task));
		if (blocks[block_count] == NULL)
			return NULL;
	}
	return task_at(slot);
}

/* RT_CPUS_MAX words: the slot of the task that each CPU runs. A slot must have been made before. */
RT_EXPORT(rt_current_tasks_address) u32 *rt_current_tasks_address(void)
{
	return current_slots;
}

int rt_tasks_init(u32 cpus)
{
	block_count = 0;
	blocks = rt_alloc(BLOCKS_MAX * sizeof(*blocks));
	if (blocks == NULL)
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
		current_slots[cpu] = cpu;
	}
	return 0;
}

struct rt_task *rt_current_task(void)
{
	return task_at(current_slots[rt_cpu]);
}

struct rt_task *rt_task_by_address(u64 address)
{
	struct rt_task *current = rt_current_task();

	if (address == 0)
		return NULL;
	if (current->kernel_address == address)
		return current;
	for (u32 slot = 0; slot < block_count * BLOCK_SLOTS; slot++)
		if (task_at(slot)->kernel_address == address)
			return task_at(slot);
	return NULL;
}
