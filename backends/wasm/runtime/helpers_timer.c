// SPDX-License-Identifier: Apache-2.0
/* bpf_timer_*: arguments and errnos; the timers themselves are in timer.c. */
#include "helpers.h"
#include "timer.h"
#include "world.h"

#define CLOCKS_MAX 16u
#define START_ABSOLUTE 1u /* BPF_F_TIMER_ABS */
#define START_PINNED 2u   /* BPF_F_TIMER_CPU_PIN: timers never migrate here anyway */

static struct rt_timer *timer_argument(u64 slot)
{
	rt_check_write(slot, RT_TIMER_SIZE);
	if (slot % 8 != 0)
		rt_fault(RT_FAULT_ARGUMENT, slot, RT_TIMER_SIZE);
	return rt_timer_at(slot);
}

RT_HELPER(timer_init)
{
	struct rt_map *map = rt_map_from_pointer(r2);
	struct rt_timer *timer = timer_argument(r1);
	u32 clock = (u32)r3;

	if (map->timer_offset < 0)
		rt_fault(RT_FAULT_ARGUMENT, r2, 0);
	if (r3 >= CLOCKS_MAX ||
	    (clock != RT_CLOCK_REALTIME && clock != RT_CLOCK_MONOTONIC && clock != RT_CLOCK_BOOTTIME))
		return (u64)-EINVAL;
	if (timer != NULL)
		return (u64)-EBUSY;
	/* Nobody in user space could cancel it any more. */
	if (!map->open)
		return (u64)-EPERM;
	return (u64)rt_timer_create(map, r1, clock);
}

RT_HELPER(timer_set_callback)
{
	struct rt_timer *timer = timer_argument(r1);

	if (timer == NULL)
		return (u64)-EINVAL;
	if (!timer->map->open)
		return (u64)-EPERM;
	rt_timer_set_callback(timer, rt_program_current(), r2);
	return 0;
}

RT_HELPER(timer_start)
{
	struct rt_timer *timer = timer_argument(r1);

	if (r3 & ~(u64)(START_ABSOLUTE | START_PINNED))
		return (u64)-EINVAL;
	if (timer == NULL || timer->program == NULL)
		return (u64)-EINVAL;
	return (u64)rt_timer_start(timer, r2, r3 & START_ABSOLUTE);
}

RT_HELPER(timer_cancel)
{
	struct rt_timer *timer = timer_argument(r1);

	return (u64)(timer == NULL ? -EINVAL : rt_timer_cancel(timer));
}
