/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks and replay: runs whole blocks of recorded (or generated) contexts without a call from the
 * host per event. A block is columns in linear memory, in time order; see docs/trace-format.md.
 *
 * The context of a record is copied into a buffer of its hook and CPU, which is all of it that
 * a program may touch.
 */
#include "bytes.h"
#include "program.h"
#include "task.h"
#include "timer_queue.h"
#include "world.h"

#define HOOKS_MAX 256
#define PROGRAMS_PER_HOOK_MAX 16
/* A timer that restarts itself without delay must not stop the world. */
#define TIMERS_PER_RECORD_MAX 1024

struct hook {
	u32 context_size;
	u32 programs;
	u32 handles[PROGRAMS_PER_HOOK_MAX];
	void *contexts[RT_CPUS_MAX]; /* made when first needed */
};

struct block {
	u64 base_ns;
	const u32 *deltas_ns;
	const u16 *cpus;
	const u16 *tasks;
	const u8 *hooks;
	const u8 *context; /* of the next record */
	u32 count;
	u32 next;
	u32 stop; /* where the call of replay_run under way ends, for preemption too */
};

static struct hook hooks[HOOKS_MAX];
static struct block block;
static u64 unattached;

s32 program_run(u32 handle, u32 context_address, u32 cpu);
u32 rt_advance(u32 until_low, u32 until_high, u32 limit);

RT_EXPORT(hook_define) s32 hook_define(u32 hook, u32 context_size)
{
	if (hook >= HOOKS_MAX)
		return -E2BIG;
	if (hooks[hook].context_size != 0 && hooks[hook].context_size != context_size)
		return -EBUSY;
	hooks[hook].context_size = context_size;
	return 0;
}

RT_EXPORT(hook_attach) s32 hook_attach(u32 hook, u32 program)
{
	struct hook *at;

	if (hook >= HOOKS_MAX || !rt_program_from_handle(program))
		return -EINVAL;
	at = &hooks[hook];
	if (at->programs == PROGRAMS_PER_HOOK_MAX)
		return -E2BIG;
	at->handles[at->programs++] = program;
	return 0;
}

RT_EXPORT(hook_detach) s32 hook_detach(u32 hook, u32 program)
{
	struct hook *at;
	u32 i;

	if (hook >= HOOKS_MAX)
		return -EINVAL;
	at = &hooks[hook];
	for (i = 0; i < at->programs && at->handles[i] != program; i++)
		;
	if (i == at->programs)
		return -ENOENT;
	for (; i + 1 < at->programs; i++)
		at->handles[i] = at->handles[i + 1];
	at->programs--;
	return 0;
}

static void *hook_context(struct hook *hook, u32 cpu)
{
	if (!hook->contexts[cpu]) {
		hook->contexts[cpu] = rt_alloc(hook->context_size);
		if (hook->contexts[cpu])
			rt_shadow_set(hook->contexts[cpu], hook->context_size, RT_ACCESS_WRITE);
	}
	return hook->contexts[cpu];
}

/* Runs every program at the hook on a copy of the context of its own, as the kernel does. */
static s32 hook_fire(struct hook *hook, const void *recorded, u32 cpu)
{
	void *context = hook_context(hook, cpu);
	u32 i;

	if (!context)
		return -ENOMEM;
	for (i = 0; i < hook->programs; i++) {
		s32 error;

		rt_bytes_copy(context, recorded, hook->context_size);
		error = program_run(hook->handles[i], (u32)(uintptr_t)context, cpu);
		/* 1 says that the kernel skips this run; the program counts it as a miss. */
		if (error < 0)
			return error;
	}
	return 0;
}

/* A new block, or none (`count` 0). Its columns stay where they are until it is done or replaced. */
RT_EXPORT(replay_begin)
void replay_begin(u32 count, u32 base_low, u32 base_high, u32 deltas, u32 cpus, u32 tasks,
		  u32 hook_ids, u32 contexts)
{
	block.base_ns = (u64)base_high << 32 | base_low;
	block.deltas_ns = (const u32 *)(uintptr_t)deltas;
	block.cpus = (const u16 *)(uintptr_t)cpus;
	block.tasks = (const u16 *)(uintptr_t)tasks;
	block.hooks = (const u8 *)(uintptr_t)hook_ids;
	block.context = (const u8 *)(uintptr_t)contexts;
	block.count = count;
	block.next = 0;
	block.stop = 0;
}

static s32 replay_step(void)
{
	u32 i = block.next++;
	struct hook *hook = &hooks[block.hooks[i]];
	const u8 *recorded = block.context;
	u32 cpu = block.cpus[i];
	u64 now_ns = block.base_ns + block.deltas_ns[i];

	block.context += hook->context_size;
	if (hook->programs == 0) {
		unattached++;
		return 0;
	}
	if (rt_timers_waiting != 0)
		rt_advance((u32)now_ns, (u32)(now_ns >> 32), TIMERS_PER_RECORD_MAX);
	else if (now_ns > rt_now_ns)
		rt_now_ns = now_ns;
	rt_current_tasks[cpu] = RT_CPUS_MAX + block.tasks[i];
	return hook_fire(hook, recorded, cpu);
}

/*
 * Runs up to `limit` records, those that preempt others included; returns how many of the block are
 * done, or -errno.
 */
RT_EXPORT(replay_run) s32 replay_run(u32 limit)
{
	u32 left = block.count - block.next;

	block.stop = block.next + (limit < left ? limit : left);
	while (block.next < block.stop) {
		s32 error = replay_step();

		if (error)
			return error;
	}
	return block.next;
}

/*
 * A program is about to be preempted: runs the next record if it belongs to a CPU that is idle.
 * Records keep their order, so what one CPU does stays in sequence.
 */
RT_EXPORT(replay_preempt) s32 replay_preempt(void)
{
	if (block.next >= block.stop || rt_cpu_runs[block.cpus[block.next]] != 0)
		return 0;
	return replay_step();
}

/* Records of hooks without a program, since the start. */
RT_EXPORT(replay_unattached) double replay_unattached(void)
{
	return (double)unattached;
}
