// SPDX-License-Identifier: Apache-2.0
/* Queues and stacks: one ring of values; they differ only in the end that is read. */
#include "bytes.h"
#include "map_types.h"

#define VALUE_SIZE_MAX (1u << 22) /* the kernel's KMALLOC_MAX_SIZE */

struct ring {
	u32 oldest;
	u32 count;
	u8 *values;
};

static struct ring *ring_of(const struct rt_map *map)
{
	return map->state;
}

static u8 *slot(const struct rt_map *map, u32 position)
{
	return ring_of(map)->values + (size_t)map->value_size * (position % map->max_entries);
}

static int check(const struct rt_map *map)
{
	if (map->max_entries == 0 || map->key_size != 0 || map->value_size == 0 ||
	    map->flags & ~(RT_MAP_NUMA_NODE | RT_MAP_ACCESS_FLAGS) ||
	    !rt_map_access_flags_ok(map->flags))
		return -EINVAL;
	return map->value_size > VALUE_SIZE_MAX ? -E2BIG : 0;
}

static int create(struct rt_map *map)
{
	u64 size = (u64)map->value_size * map->max_entries;
	struct ring *ring = rt_alloc(sizeof(*ring));

	if (ring == NULL)
		return -ENOMEM;
	ring->values = size > UINT32_MAX ? NULL : rt_alloc((u32)size);
	if (ring->values == NULL) {
		rt_free(ring);
		return -ENOMEM;
	}
	map->state = ring;
	return 0;
}

static void destroy(struct rt_map *map)
{
	rt_free(ring_of(map)->values);
	rt_free(ring_of(map));
}

static u32 memory_bytes(const struct rt_map *map)
{
	return (u32)(sizeof(*map) + sizeof(struct ring)) + map->value_size * map->max_entries;
}

static s64 push(struct rt_map *map, const void *value, u64 flags)
{
	struct ring *ring = ring_of(map);

	if (flags & RT_NOEXIST || flags > RT_EXIST)
		return -EINVAL;
	if (ring->count == map->max_entries) {
		if (flags != RT_EXIST)
			return -E2BIG;
		ring->oldest = (ring->oldest + 1) % map->max_entries;
		ring->count--;
	}
	rt_bytes_copy(slot(map, ring->oldest + ring->count), value, map->value_size);
	ring->count++;
	return 0;
}

/* Copies the value at the readable end; an empty map zeroes `value`, as programs may rely on. */
static s64 read(struct rt_map *map, void *value, bool remove)
{
	struct ring *ring = ring_of(map);
	bool newest = map->type == RT_MAP_STACK;

	if (ring->count == 0) {
		memset(value, 0, map->value_size);
		return -ENOENT;
	}
	rt_bytes_copy(value, slot(map, ring->oldest + (newest ? ring->count - 1 : 0)),
		      map->value_size);
	if (remove) {
		if (!newest)
			ring->oldest = (ring->oldest + 1) % map->max_entries;
		ring->count--;
	}
	return 0;
}

static s64 pop(struct rt_map *map, void *value)
{
	return read(map, value, true);
}

static s64 peek(struct rt_map *map, void *value)
{
	return read(map, value, false);
}

static s64 copy_out(struct rt_map *map, const void *key, void *value, u64 flags)
{
	(void)key, (void)flags;
	return read(map, value, false);
}

static s64 copy_in(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	(void)key;
	return push(map, value, flags);
}

static s64 take(struct rt_map *map, const void *key, void *value, u64 flags)
{
	(void)key, (void)flags;
	return read(map, value, true);
}

static s64 next_key(struct rt_map *map, const void *key, void *next)
{
	(void)map, (void)key, (void)next;
	return -EINVAL;
}

#define QUEUE_STACK_OPS                            \
	{                                          \
		.check = check,                    \
		.create = create,                  \
		.destroy = destroy,                \
		.push = push,                      \
		.pop = pop,                        \
		.peek = peek,                      \
		.copy_out = copy_out,              \
		.copy_in = copy_in,                \
		.erase = rt_map_refuse_einval,     \
		.next_key = next_key,              \
		.take = take,                      \
		.same_shape = rt_map_same_shape,   \
		.memory_bytes = memory_bytes,      \
	}

const struct rt_map_ops rt_queue_ops = QUEUE_STACK_OPS;
const struct rt_map_ops rt_stack_ops = QUEUE_STACK_OPS;
