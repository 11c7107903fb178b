// SPDX-License-Identifier: Apache-2.0
#include "timer.h"

#include "held.h"
#include "timer_queue.h"
#include "world.h"

#define TIMER_MAGIC 0x74696d72u
#define CALLBACKS_MAX (2 * RT_CPUS_MAX)

/* Callbacks being run, the innermost last: a timer may not wait for its own callback to end. */
static struct {
	struct rt_timer *timer;
	u32 depth; /* of the callback's run */
} running[CALLBACKS_MAX];
static u32 running_count;
static u64 next_sequence;

/* ---- life ----------------------------------------------------------------------------------- */

struct rt_timer *rt_timer_at(u64 slot)
{
	u64 address = *(u64 *)(uintptr_t)slot;
	struct rt_timer *timer = (struct rt_timer *)(uintptr_t)address;

	if (address == 0)
		return NULL;
	/* The slot lies in memory that a faulty program can write. */
	if (address % 16 != 0 || address > rt_memory_size - sizeof(*timer) ||
	    timer->magic != TIMER_MAGIC || timer->value + (u32)timer->map->timer_offset != slot)
		rt_fault(RT_FAULT_ARGUMENT, slot, RT_TIMER_SIZE);
	return timer;
}

s64 rt_timer_create(struct rt_map *map, u64 slot, u32 clock)
{
	struct rt_timer *timer;

	if (rt_timer_at(slot) != NULL)
		return -EBUSY;
	timer = rt_alloc(sizeof(*timer));
	if (timer == NULL)
		return -ENOMEM;
	timer->magic = TIMER_MAGIC;
	timer->position = RT_TIMER_IDLE;
	timer->map = map;
	timer->value = slot - (u32)map->timer_offset;
	timer->clock = clock;
	rt_shadow_set(&timer->array_key, 4, RT_ACCESS_READ);
	*(u64 *)(uintptr_t)slot = (uintptr_t)timer;
	return 0;
}

static bool is_running(const struct rt_timer *timer)
{
	for (u32 i = 0; i < running_count; i++)
		if (running[i].timer == timer)
			return true;
	return false;
}

static void forget_callback(struct rt_timer *timer)
{
	if (timer->program != NULL)
		rt_program_put(timer->program);
	timer->program = NULL;
}

static void timer_free(struct rt_timer *timer)
{
	rt_shadow_set(&timer->array_key, 4, RT_ACCESS_NONE);
	timer->magic = 0;
	rt_free(timer);
}

/* From its own callback a timer outlives its value until the callback has ended. */
void rt_timer_cancel_in(struct rt_map *map, void *value)
{
	u64 *slot = (u64 *)((u8 *)value + map->timer_offset);
	struct rt_timer *timer = rt_timer_at((uintptr_t)slot);

	if (timer == NULL)
		return;
	*slot = 0;
	timer->value = 0;
	if (timer->position != RT_TIMER_IDLE)
		rt_timer_queue_remove(timer);
	forget_callback(timer);
	if (!is_running(timer))
		timer_free(timer);
}

/* ---- what programs ask for ------------------------------------------------------------------ */

void rt_timer_set_callback(struct rt_timer *timer, struct rt_program *program, u64 callback)
{
	if (timer->program != program) {
		program->references++;
		forget_callback(timer);
		timer->program = program;
	}
	timer->callback = callback;
}

s64 rt_timer_start(struct rt_timer *timer, u64 ns, bool absolute)
{
	u64 offset = absolute ? rt_clock_offset(timer->clock) : 0;

	if (timer->position != RT_TIMER_IDLE)
		rt_timer_queue_remove(timer);
	if (absolute)
		timer->expiry_ns = ns > offset ? ns - offset : 0;
	else if (__builtin_add_overflow(rt_now_ns, ns, &timer->expiry_ns))
		timer->expiry_ns = UINT64_MAX;
	timer->sequence = next_sequence++;
	timer->cpu = rt_cpu;
	return rt_timer_queue_add(timer) ? 0 : -ENOMEM;
}

s64 rt_timer_cancel(struct rt_timer *timer)
{
	bool waited = timer->position != RT_TIMER_IDLE;

	if (is_running(timer))
		return -EDEADLK;
	if (waited)
		rt_timer_queue_remove(timer);
	forget_callback(timer);
	return waited;
}

/* ---- time passes ---------------------------------------------------------------------------- */

static u64 key_address(struct rt_timer *timer)
{
	struct rt_map *map = timer->map;

	if (map->type != RT_MAP_ARRAY)
		return timer->value - rt_round_up8(map->key_size);
	timer->array_key = (timer->value - (uintptr_t)map->values) / map->stride;
	return (uintptr_t)&timer->array_key;
}

static void callback_ended(void)
{
	struct rt_timer *timer = running[--running_count].timer;

	if (timer->value == 0 && !is_running(timer))
		timer_free(timer);
}

static void fire(struct rt_timer *timer)
{
	struct rt_program *program = timer->program;

	rt_timer_queue_remove(timer);
	if (running_count == CALLBACKS_MAX || program == NULL)
		return;
	running[running_count].timer = timer;
	running[running_count++].depth = rt_held_depth + 1;
	program->references++; /* the callback may cancel, and so drop, its own program */
	rt_run_callback(program, timer->callback, timer->cpu, (uintptr_t)timer->map,
			key_address(timer), timer->value);
	callback_ended();
	rt_program_put(program);
}

void rt_timers_abandon(u32 depth)
{
	while (running_count != 0 && running[running_count - 1].depth >= depth)
		callback_ended();
}

/*
 * Moves the virtual clock forward to `until`, running the timers that come due on the way, each at
 * its own time. Stops after `limit` of them (a timer that restarts itself with no delay would never
 * end): then the clock stands at the last one. Returns how many fired.
 */
RT_EXPORT(rt_advance) u32 rt_advance(u32 until_low, u32 until_high, u32 limit)
{
	u64 until = (u64)until_high << 32 | until_low;
	struct rt_timer *timer;
	u32 fired = 0;

	if (until < rt_now_ns)
		until = rt_now_ns;
	while ((timer = rt_timer_queue_first()) != NULL && timer->expiry_ns <= until) {
		if (fired == limit)
			return fired;
		if (timer->expiry_ns > rt_now_ns)
			rt_now_ns = timer->expiry_ns;
		fired++;
		fire(timer);
	}
	if (until > rt_now_ns)
		rt_now_ns = until;
	return fired;
}

/* When the next timer is due, for a host that sleeps until then: a u64, all ones = none waits. */
RT_EXPORT(rt_next_timer_address) u64 *rt_next_timer_address(void)
{
	static u64 due_ns;
	struct rt_timer *timer = rt_timer_queue_first();

	due_ns = timer == NULL ? UINT64_MAX : timer->expiry_ns;
	return &due_ns;
}
