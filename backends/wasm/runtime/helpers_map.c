// SPDX-License-Identifier: Apache-2.0
/* Maps from inside a program. Which map type allows which helper is said by its ops: NULL faults. */
#include "helpers.h"

_Noreturn static void refuse(u64 map)
{
	rt_fault(RT_FAULT_ARGUMENT, map, 0);
}

/* A map that the program may write. */
static struct rt_map *writable_map(u64 address)
{
	struct rt_map *map = rt_map_from_pointer(address);

	if (map->flags & RT_MAP_RDONLY_PROG)
		refuse(address);
	return map;
}

static struct rt_map *readable_map(u64 address)
{
	struct rt_map *map = rt_map_from_pointer(address);

	if (map->flags & RT_MAP_WRONLY_PROG)
		refuse(address);
	return map;
}

RT_HELPER(map_lookup_elem)
{
	struct rt_map *map = readable_map(r1);

	if (map->ops->lookup == NULL)
		refuse(r1);
	rt_check_read(r2, map->key_size);
	return rt_address(map->ops->lookup(map, rt_pointer(r2)));
}

RT_HELPER(map_update_elem)
{
	struct rt_map *map = writable_map(r1);

	if (map->ops->update == NULL)
		refuse(r1);
	rt_check_read(r2, map->key_size);
	rt_check_read(r3, map->value_size);
	return (u64)map->ops->update(map, rt_pointer(r2), rt_pointer(r3), r4);
}

RT_HELPER(map_delete_elem)
{
	struct rt_map *map = writable_map(r1);

	if (map->ops->remove == NULL)
		refuse(r1);
	rt_check_read(r2, map->key_size);
	return (u64)map->ops->remove(map, rt_pointer(r2));
}

RT_HELPER(map_lookup_percpu_elem)
{
	struct rt_map *map = readable_map(r1);

	if (map->ops->lookup_percpu == NULL)
		refuse(r1);
	rt_check_read(r2, map->key_size);
	if ((u32)r3 >= rt_cpu_count)
		return 0;
	return rt_address(map->ops->lookup_percpu(map, rt_pointer(r2), (u32)r3));
}

RT_HELPER(map_push_elem)
{
	struct rt_map *map = writable_map(r1);

	if (map->ops->push == NULL)
		refuse(r1);
	rt_check_read(r2, map->value_size);
	return (u64)map->ops->push(map, rt_pointer(r2), r3);
}

RT_HELPER(map_pop_elem)
{
	struct rt_map *map = writable_map(r1);

	if (map->ops->pop == NULL)
		refuse(r1);
	rt_check_write(r2, map->value_size);
	return (u64)map->ops->pop(map, rt_pointer(r2));
}

RT_HELPER(map_peek_elem)
{
	struct rt_map *map = readable_map(r1);

	if (map->ops->peek == NULL)
		refuse(r1);
	/* A bloom filter is asked about a value; the others hand one out. */
	if (map->type == RT_MAP_BLOOM_FILTER)
		rt_check_read(r2, map->value_size);
	else
		rt_check_write(r2, map->value_size);
	return (u64)map->ops->peek(map, rt_pointer(r2));
}

RT_HELPER(for_each_map_elem)
{
	struct rt_map *map = readable_map(r1);

	if (map->ops->for_each == NULL)
		refuse(r1);
	if (r4 != 0)
		return (u64)-EINVAL;
	return (u64)map->ops->for_each(map, r2, r3, r4);
}
