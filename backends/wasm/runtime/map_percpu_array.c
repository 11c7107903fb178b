// SPDX-License-Identifier: Apache-2.0
#include "map_array.h"
#include "map_percpu.h"

static int percpu_array_create(struct rt_map *map)
{
	int error = rt_array_allocate(map, rt_percpu_bytes(map));

	if (error != 0)
		return error;
	for (u32 i = 0; i < map->max_entries; i++)
		rt_percpu_open(map, map->values + (size_t)map->stride * i);
	return 0;
}

/* All CPUs' values of one key, or NULL. */
static u8 *slots(struct rt_map *map, const void *key)
{
	u32 index = rt_array_index(key);

	return index < map->max_entries ? map->values + (size_t)map->stride * index : NULL;
}

static void *percpu_array_lookup_on(struct rt_map *map, const void *key, u32 cpu)
{
	u8 *all = slots(map, key);

	return all == NULL || cpu >= rt_cpu_count ? NULL : rt_percpu_slot(map, all, cpu);
}

static void *percpu_array_lookup(struct rt_map *map, const void *key)
{
	u8 *all = slots(map, key);

	return all == NULL ? NULL : rt_percpu_slot(map, all, rt_cpu);
}

static s64 percpu_array_update(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	u32 index = rt_array_index(key);
	s64 error = rt_array_check_update(map, index, flags);

	if (error != 0)
		return error;
	rt_percpu_set(map, slots(map, key), value, false);
	return 0;
}

static s64 percpu_array_copy_out(struct rt_map *map, const void *key, void *value, u64 flags)
{
	u8 *all = slots(map, key);

	(void)flags;
	if (all == NULL)
		return -ENOENT;
	rt_percpu_copy_out(map, value, all);
	return 0;
}

static s64 percpu_array_copy_in(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	/* From a system call RT_LOCK is just an unknown flag here. */
	s64 error = flags > RT_EXIST ? -EINVAL :
				       rt_array_check_update(map, rt_array_index(key), flags);

	if (error != 0)
		return error;
	rt_percpu_set(map, slots(map, key), value, true);
	return 0;
}

static s64 percpu_array_for_each(struct rt_map *map, u64 callback, u64 context, u64 flags)
{
	return rt_array_for_each(map, rt_percpu_stride(map) * rt_cpu, callback, context, flags);
}

const struct rt_map_ops rt_percpu_array_ops = {
	.check = rt_array_check,
	.create = percpu_array_create,
	.destroy = rt_array_free,
	.lookup = percpu_array_lookup,
	.update = percpu_array_update,
	.remove = rt_map_refuse_einval,
	.lookup_percpu = percpu_array_lookup_on,
	.for_each = percpu_array_for_each,
	.copy_out = percpu_array_copy_out,
	.copy_in = percpu_array_copy_in,
	.erase = rt_map_refuse_einval,
	.next_key = rt_array_next_key,
	.batch = RT_BATCH_LOOKUP | RT_BATCH_UPDATE,
	.same_shape = rt_map_same_shape,
	.memory_bytes = rt_array_memory_bytes,
};
