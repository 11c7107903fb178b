// SPDX-License-Identifier: Apache-2.0
#include "map_array.h"

#define ARRAY_FLAGS                                                                      \
	(RT_MAP_NUMA_NODE | RT_MAP_MMAPABLE | RT_MAP_ACCESS_FLAGS | RT_MAP_PRESERVE_ELEMS | \
	 RT_MAP_INNER_MAP)
#define PERCPU_VALUE_SIZE_MAX 32768u /* the kernel's smallest per-CPU unit */

/* ---- shared by all arrays ------------------------------------------------------------------- */

int rt_array_check(const struct rt_map *map)
{
	if (map->max_entries == 0 || map->key_size != 4 || map->value_size == 0 ||
	    map->flags & ~ARRAY_FLAGS || !rt_map_access_flags_ok(map->flags))
		return -EINVAL;
	if (map->type == RT_MAP_PERCPU_ARRAY && map->flags & RT_MAP_NUMA_NODE)
		return -EINVAL;
	if (map->type != RT_MAP_ARRAY && map->flags & (RT_MAP_MMAPABLE | RT_MAP_INNER_MAP))
		return -EINVAL;
	if (map->type != RT_MAP_PERF_EVENT_ARRAY && map->flags & RT_MAP_PRESERVE_ELEMS)
		return -EINVAL;
	if (map->value_size > INT32_MAX)
		return -E2BIG;
	if (map->type == RT_MAP_PERCPU_ARRAY &&
	    rt_round_up8(map->value_size) > PERCPU_VALUE_SIZE_MAX)
		return -E2BIG;
	return 0;
}

int rt_descriptor_array_check(const struct rt_map *map)
{
	if (map->value_size != 4 || map->flags & (RT_MAP_RDONLY_PROG | RT_MAP_WRONLY_PROG))
		return -EINVAL;
	return rt_array_check(map);
}

int rt_array_allocate(struct rt_map *map, u32 stride)
{
	u64 size = (u64)stride * map->max_entries;

	if (size > UINT32_MAX)
		return -ENOMEM;
	map->values = rt_alloc((u32)size);
	if (map->values == NULL)
		return -ENOMEM;
	map->stride = stride;
	return 0;
}

void rt_array_free(struct rt_map *map)
{
	rt_shadow_set(map->values, map->stride * map->max_entries, RT_ACCESS_NONE);
	rt_free(map->values);
}

u32 rt_array_memory_bytes(const struct rt_map *map)
{
	return (u32)sizeof(*map) + map->stride * map->max_entries;
}

s64 rt_array_check_update(const struct rt_map *map, u32 index, u64 flags)
{
	if ((flags & ~(u64)RT_LOCK) > RT_EXIST)
		return -EINVAL;
	if (index >= map->max_entries)
		return -E2BIG;
	if (flags & RT_NOEXIST)
		return -EEXIST;
	if (flags & RT_LOCK && map->lock_offset < 0)
		return -EINVAL;
	return 0;
}

s64 rt_array_next_key(struct rt_map *map, const void *key, void *next)
{
	u32 index = key == NULL ? UINT32_MAX : rt_array_index(key);

	if (index < map->max_entries && index == map->max_entries - 1)
		return -ENOENT;
	index = index < map->max_entries ? index + 1 : 0;
	memcpy(next, &index, sizeof(index));
	return 0;
}

s64 rt_array_for_each(struct rt_map *map, u32 offset, u64 callback, u64 context, u64 flags)
{
	u32 *key;
	u32 visited = 0;

	if (flags != 0)
		return -EINVAL;
	key = rt_key_cell_take(sizeof(*key));
	if (key == NULL)
		return -ENOMEM;
	while (visited < map->max_entries) {
		u8 *value = map->values + (size_t)map->stride * visited + offset;

		*key = visited++;
		if (rt_call_callback(callback, (uintptr_t)map, (uintptr_t)key, (uintptr_t)value,
				     context, 0) != 0)
			break;
	}
	rt_key_cell_give(key);
	return visited;
}

/* ---- BPF_MAP_TYPE_ARRAY --------------------------------------------------------------------- */

static int array_create(struct rt_map *map)
{
	/* A granule between values that no program may touch catches what runs off the end. Shared
	 * memory has no room for it: user space counts on values 8-byte steps apart. */
	u32 guard = map->flags & RT_MAP_MMAPABLE ? 0 : 8;
	int error;

	if (map->value_size > UINT32_MAX - 16)
		return -ENOMEM;
	error = rt_array_allocate(map, rt_round_up8(map->value_size) + guard);
	if (error != 0)
		return error;
	for (u32 i = 0; i < map->max_entries; i++)
		rt_shadow_set(map->values + (size_t)map->stride * i, map->value_size,
			      rt_map_access(map));
	return 0;
}

static void array_cancel_timers(struct rt_map *map)
{
	if (map->timer_offset < 0)
		return;
	for (u32 i = 0; i < map->max_entries; i++)
		rt_map_value_released(map, map->values + (size_t)map->stride * i);
}

static void array_destroy(struct rt_map *map)
{
	array_cancel_timers(map);
	rt_array_free(map);
}

static void *array_lookup(struct rt_map *map, const void *key)
{
	u32 index = rt_array_index(key);

	return index < map->max_entries ? map->values + (size_t)map->stride * index : NULL;
}

static s64 array_update(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	u32 index = rt_array_index(key);
	s64 error = rt_array_check_update(map, index, flags);
	u8 *slot = map->values + (size_t)map->stride * index;

	if (error != 0)
		return error;
	rt_map_copy_value(map, slot, value);
	rt_map_value_released(map, slot);
	return 0;
}

static s64 array_copy_out(struct rt_map *map, const void *key, void *value, u64 flags)
{
	void *slot = array_lookup(map, key);

	(void)flags;
	if (slot == NULL)
		return -ENOENT;
	rt_map_copy_value(map, value, slot);
	rt_map_clear_special(map, value);
	return 0;
}

static s64 array_for_each(struct rt_map *map, u64 callback, u64 context, u64 flags)
{
	return rt_array_for_each(map, 0, callback, context, flags);
}

static bool array_same_shape(const struct rt_map *template, const struct rt_map *map)
{
	return rt_map_same_shape(template, map) &&
	       (template->flags & RT_MAP_INNER_MAP || template->max_entries == map->max_entries);
}

const struct rt_map_ops rt_array_ops = {
	.check = rt_array_check,
	.create = array_create,
	.destroy = array_destroy,
	.lookup = array_lookup,
	.update = array_update,
	.remove = rt_map_refuse_einval,
	.for_each = array_for_each,
	.copy_out = array_copy_out,
	.copy_in = array_update,
	.erase = rt_map_refuse_einval,
	.next_key = rt_array_next_key,
	.batch = RT_BATCH_LOOKUP | RT_BATCH_UPDATE,
	.user_gone = array_cancel_timers,
	.same_shape = array_same_shape,
	.memory_bytes = rt_array_memory_bytes,
};
