// SPDX-License-Identifier: Apache-2.0
/*
 * What user space does with a map: the bpf(2) commands, as functions for JavaScript. Each checks in
 * the kernel's order: descriptor, permission, flags; then the type's operation decides.
 *
 * `key` and `next` are key_size bytes, `value` is rt_map_value_bytes(). Results are 0 or -errno
 * unless said otherwise. Flags come as two halves, because JavaScript passes no 64-bit integers.
 */
#include "map_syscall.h"

s32 rt_map_open(u32 handle, bool read, bool write, struct rt_map **map)
{
	*map = rt_map_from_handle(handle);
	if (*map == NULL)
		return -EBADF;
	if (read && (*map)->flags & RT_MAP_WRONLY)
		return -EPERM;
	if (write && ((*map)->flags & RT_MAP_RDONLY || (*map)->frozen))
		return -EPERM;
	return 0;
}

static u64 join(u32 low, u32 high)
{
	return (u64)high << 32 | low;
}

/* RT_LOCK needs a lock in the value. */
static bool lacks_lock(const struct rt_map *map, u64 flags)
{
	return flags & RT_LOCK && map->lock_offset < 0;
}

RT_EXPORT(rt_map_lookup)
s32 rt_map_lookup(u32 handle, const void *key, void *value, u32 flags_low, u32 flags_high)
{
	u64 flags = join(flags_low, flags_high);
	struct rt_map *map;
	s32 error = rt_map_open(handle, true, false, &map);

	if (flags & ~(u64)RT_LOCK)
		return -EINVAL;
	if (error != 0)
		return error;
	if (lacks_lock(map, flags))
		return -EINVAL;
	return (s32)map->ops->copy_out(map, key, value, flags);
}

RT_EXPORT(rt_map_update)
s32 rt_map_update(u32 handle, const void *key, const void *value, u32 flags_low, u32 flags_high)
{
	u64 flags = join(flags_low, flags_high);
	struct rt_map *map;
	s32 error = rt_map_open(handle, false, true, &map);

	if (error != 0)
		return error;
	if (lacks_lock(map, flags))
		return -EINVAL;
	return (s32)map->ops->copy_in(map, key, value, flags);
}

RT_EXPORT(rt_map_delete) s32 rt_map_delete(u32 handle, const void *key)
{
	struct rt_map *map;
	s32 error = rt_map_open(handle, false, true, &map);

	return error != 0 ? error : (s32)map->ops->erase(map, key);
}

/* BPF_MAP_LOOKUP_AND_DELETE_ELEM: takes the entry out; pops from queues and stacks. */
RT_EXPORT(rt_map_take)
s32 rt_map_take(u32 handle, const void *key, void *value, u32 flags_low, u32 flags_high)
{
	u64 flags = join(flags_low, flags_high);
	struct rt_map *map;
	s32 error = rt_map_open(handle, true, true, &map);

	if (flags & ~(u64)RT_LOCK)
		return -EINVAL;
	if (error != 0)
		return error;
	if (flags != 0 && (map->type == RT_MAP_QUEUE || map->type == RT_MAP_STACK))
		return -EINVAL;
	if (lacks_lock(map, flags))
		return -EINVAL;
	return map->ops->take == NULL ? -RT_ENOTSUPP : (s32)map->ops->take(map, key, value, flags);
}

/* `key` NULL asks for the first key. */
RT_EXPORT(rt_map_next_key) s32 rt_map_next_key(u32 handle, const void *key, void *next)
{
	struct rt_map *map;
	s32 error = rt_map_open(handle, true, false, &map);

	return error != 0 ? error : (s32)map->ops->next_key(map, key, next);
}

/* From now on user space cannot write; programs still can. */
RT_EXPORT(rt_map_freeze) s32 rt_map_freeze(u32 handle)
{
	struct rt_map *map = rt_map_from_handle(handle);

	if (map == NULL)
		return -EBADF;
	if (map->timer_offset >= 0)
		return -RT_ENOTSUPP;
	if (map->frozen)
		return -EBUSY;
	map->frozen = true;
	return 0;
}

/* ---- what JavaScript needs to know of a map ------------------------------------------------- */

/* The address that programs pass to helpers, or 0. */
RT_EXPORT(rt_map_address) struct rt_map *rt_map_address(u32 handle)
{
	return rt_map_from_handle(handle);
}

RT_EXPORT(rt_map_size_of_value) u32 rt_map_size_of_value(u32 handle)
{
	struct rt_map *map = rt_map_from_handle(handle);

	return map == NULL ? 0 : rt_map_value_bytes(map);
}

RT_EXPORT(rt_map_max_entries) u32 rt_map_max_entries(u32 handle)
{
	struct rt_map *map = rt_map_from_handle(handle);

	return map == NULL ? 0 : map->max_entries;
}

RT_EXPORT(rt_map_memory_bytes) u32 rt_map_memory_bytes(u32 handle)
{
	struct rt_map *map = rt_map_from_handle(handle);

	return map == NULL ? 0 : map->ops->memory_bytes(map);
}

/*
 * The address of an array's values, `stride` bytes apart, whatever its flags; 0 for any other type.
 * For loaders (global data) and for rt_map_mmap.
 */
RT_EXPORT(rt_map_values) u8 *rt_map_values(u32 handle)
{
	struct rt_map *map = rt_map_from_handle(handle);

	return map == NULL || map->type != RT_MAP_ARRAY ? NULL : map->values;
}

/* Whether user space may map the values: 0, or what mmap(2) fails with. */
RT_EXPORT(rt_map_mmap) s32 rt_map_mmap(u32 handle)
{
	struct rt_map *map = rt_map_from_handle(handle);

	if (map == NULL)
		return -EBADF;
	if (map->lock_offset >= 0 || map->timer_offset >= 0)
		return -RT_ENOTSUPP;
	if (map->type != RT_MAP_ARRAY)
		return map->type == RT_MAP_PERCPU_ARRAY ? -EINVAL : -RT_ENOTSUPP;
	if (!(map->flags & RT_MAP_MMAPABLE))
		return -EINVAL;
	return map->frozen || map->flags & (RT_MAP_RDONLY | RT_MAP_WRONLY) ? -EPERM : 0;
}
