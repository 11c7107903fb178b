// SPDX-License-Identifier: Apache-2.0
/* Maps of type RINGBUF: creation and death. Programs and the reader use them through ring.h. */
#include "ring.h"

static int check(const struct rt_map *map)
{
	u32 size = map->max_entries;

	if (map->flags & ~RT_MAP_NUMA_NODE || map->key_size != 0 || map->value_size != 0)
		return -EINVAL;
	if (size < RT_PAGE_SIZE || size & (size - 1))
		return -EINVAL;
	return 0;
}

static int create(struct rt_map *map)
{
	map->state = rt_ring_create(map->max_entries);
	return map->state == NULL ? -ENOMEM : 0;
}

static void destroy(struct rt_map *map)
{
	rt_ring_destroy(map->state);
}

struct rt_ring *rt_ring_of(const struct rt_map *map)
{
	return map->type == RT_MAP_RINGBUF ? map->state : NULL;
}

static s64 refuse_copy_out(struct rt_map *map, const void *key, void *value, u64 flags)
{
	(void)map, (void)key, (void)value, (void)flags;
	return -RT_ENOTSUPP;
}

static s64 refuse_copy_in(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	(void)map, (void)key, (void)value, (void)flags;
	return -RT_ENOTSUPP;
}

static s64 refuse_erase(struct rt_map *map, const void *key)
{
	(void)map, (void)key;
	return -RT_ENOTSUPP;
}

static s64 refuse_next_key(struct rt_map *map, const void *key, void *next)
{
	(void)map, (void)key, (void)next;
	return -RT_ENOTSUPP;
}

static bool same_shape(const struct rt_map *template, const struct rt_map *map)
{
	return template->type == map->type && template->flags == map->flags;
}

static u32 memory_bytes(const struct rt_map *map)
{
	return (u32)sizeof(*map) + (u32)sizeof(struct rt_ring) + RT_PAGE_SIZE +
	       2 * map->max_entries;
}

const struct rt_map_ops rt_ringbuf_ops = {
	.check = check,
	.create = create,
	.destroy = destroy,
	.copy_out = refuse_copy_out,
	.copy_in = refuse_copy_in,
	.erase = refuse_erase,
	.next_key = refuse_next_key,
	.same_shape = same_shape,
	.memory_bytes = memory_bytes,
};
