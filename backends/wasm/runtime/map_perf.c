// SPDX-License-Identifier: Apache-2.0
/*
 * Arrays of descriptors that the simulated machine has none of: perf events and cgroups. User space
 * sees the kernel's answers to a wrong descriptor; what a perf event array delivers stands in
 * perf_buffer.h.
 */
#include "map_array.h"

static int create(struct rt_map *map)
{
	return rt_array_allocate(map, 8);
}

static s64 copy_out(struct rt_map *map, const void *key, void *value, u64 flags)
{
	(void)map, (void)key, (void)value, (void)flags;
	return -RT_ENOTSUPP;
}

static s64 copy_in(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	(void)value;
	if (flags != RT_ANY)
		return -EINVAL;
	return rt_array_index(key) < map->max_entries ? -EBADF : -E2BIG;
}

static s64 erase(struct rt_map *map, const void *key)
{
	return rt_array_index(key) < map->max_entries ? -ENOENT : -E2BIG;
}

const struct rt_map_ops rt_perf_event_array_ops = {
	.check = rt_descriptor_array_check,
	.create = create,
	.destroy = rt_array_free,
	.copy_out = copy_out,
	.copy_in = copy_in,
	.erase = erase,
	.next_key = rt_array_next_key,
	.same_shape = rt_map_same_shape,
	.memory_bytes = rt_array_memory_bytes,
};

const struct rt_map_ops rt_cgroup_array_ops = {
	.check = rt_descriptor_array_check,
	.create = create,
	.destroy = rt_array_free,
	.copy_out = copy_out,
	.copy_in = copy_in,
	.erase = erase,
	.next_key = rt_array_next_key,
	.same_shape = rt_map_same_shape,
	.memory_bytes = rt_array_memory_bytes,
};
