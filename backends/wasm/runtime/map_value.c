// SPDX-License-Identifier: Apache-2.0
/* Values: their size for user space, and the lock and timer in them that no copy may touch. */
#include "bytes.h"

/* Weak until the timer helpers are linked in; without them no value can hold a running timer. */
void rt_timer_cancel_in(struct rt_map *map, void *value) __attribute__((weak));

bool rt_map_is_percpu(const struct rt_map *map)
{
	return map->type == RT_MAP_PERCPU_ARRAY || map->type == RT_MAP_PERCPU_HASH ||
	       map->type == RT_MAP_LRU_PERCPU_HASH;
}

u32 rt_map_value_bytes(const struct rt_map *map)
{
	return rt_map_is_percpu(map) ? rt_round_up8(map->value_size) * rt_cpu_count :
				       map->value_size;
}

enum rt_access rt_map_access(const struct rt_map *map)
{
	return map->flags & RT_MAP_RDONLY_PROG ? RT_ACCESS_READ : RT_ACCESS_WRITE;
}

/* Copies [from, until) of a value. */
static void copy_range(void *to, const void *from, u32 start, u32 until)
{
	memcpy((u8 *)to + start, (const u8 *)from + start, until - start);
}

static void copy_around_special(const struct rt_map *map, void *to, const void *from)
{
	u32 none = map->value_size;
	u32 lock = map->lock_offset < 0 ? none : (u32)map->lock_offset;
	u32 timer = map->timer_offset < 0 ? none : (u32)map->timer_offset;
	u32 lock_end = lock == none ? none : lock + RT_SPIN_LOCK_SIZE;
	u32 timer_end = timer == none ? none : timer + RT_TIMER_SIZE;

	copy_range(to, from, 0, lock < timer ? lock : timer);
	if (lock < timer) {
		copy_range(to, from, lock_end, timer);
		copy_range(to, from, timer_end, none);
	} else {
		copy_range(to, from, timer_end, lock);
		copy_range(to, from, lock_end, none);
	}
}

void rt_map_copy_value(const struct rt_map *map, void *to, const void *from)
{
	if ((map->lock_offset & map->timer_offset) != -1)
		copy_around_special(map, to, from);
	else
		rt_bytes_copy(to, from, map->value_size);
}

void rt_map_clear_special(const struct rt_map *map, void *value)
{
	if (map->lock_offset >= 0)
		memset((u8 *)value + map->lock_offset, 0, RT_SPIN_LOCK_SIZE);
	if (map->timer_offset >= 0)
		memset((u8 *)value + map->timer_offset, 0, RT_TIMER_SIZE);
}

void rt_map_value_released(struct rt_map *map, void *value)
{
	if (map->timer_offset >= 0 && rt_timer_cancel_in != NULL)
		rt_timer_cancel_in(map, value);
}
