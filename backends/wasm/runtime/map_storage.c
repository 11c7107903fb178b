// SPDX-License-Identifier: Apache-2.0
/*
 * Storage that hangs on tasks and cgroups. Programs name an owner by its address; user space by
 * a descriptor, of which the simulated machine has none.
 */
#include "map_storage.h"

#include "map_hash_find.h"

#define STORAGE_FLAGS (RT_MAP_NO_PREALLOC | RT_MAP_CLONE)
#define STORAGE_VALUE_SIZE_MAX 65407u /* 64 KiB less the kernel's own header */
#define STORAGE_BUCKETS 256u
#define OWNER_SIZE 8u

static struct rt_map *all; /* maps of these types, linked through storage_next */

static int check(const struct rt_map *map)
{
	if (map->flags & ~STORAGE_FLAGS || !(map->flags & RT_MAP_NO_PREALLOC) ||
	    map->max_entries != 0 || map->key_size != 4 || map->value_size == 0 || !map->typed)
		return -EINVAL;
	return map->value_size > STORAGE_VALUE_SIZE_MAX ? -E2BIG : 0;
}

static int create(struct rt_map *map)
{
	int error = rt_hash_create_sized(map, OWNER_SIZE, map->value_size, STORAGE_BUCKETS);

	if (error != 0)
		return error;
	error = rt_hash_pool_create(map, 0);
	if (error != 0) {
		rt_hash_destroy(map);
		return error;
	}
	map->storage_next = all;
	all = map;
	return 0;
}

static void destroy(struct rt_map *map)
{
	struct rt_map **link = &all;

	while (*link != map)
		link = &(*link)->storage_next;
	*link = map->storage_next;
	rt_hash_destroy(map);
}

void *rt_storage_find(struct rt_map *map, u64 owner)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element = rt_hash_find(hash, &owner);

	return element == NULL ? NULL : rt_hash_value(hash, element);
}

void *rt_storage_create(struct rt_map *map, u64 owner, const void *value)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element = rt_hash_pool_take(map);

	if (element == NULL)
		return NULL;
	memcpy(rt_hash_key(element), &owner, OWNER_SIZE);
	element->hash = rt_hash_of(hash, &owner);
	memset(rt_hash_value(hash, element), 0, map->value_size);
	if (value != NULL)
		rt_map_copy_value(map, rt_hash_value(hash, element), value);
	rt_hash_link(hash, element);
	hash->count++;
	return rt_hash_value(hash, element);
}

s64 rt_storage_delete(struct rt_map *map, u64 owner)
{
	return rt_hash_erase(map, &owner);
}

RT_EXPORT(rt_storage_owner_gone) void rt_storage_owner_gone(u32 low, u32 high)
{
	u64 owner = (u64)high << 32 | low;

	for (struct rt_map *map = all; map != NULL; map = map->storage_next)
		rt_storage_delete(map, owner);
}

static s64 no_descriptor_out(struct rt_map *map, const void *key, void *value, u64 flags)
{
	(void)map, (void)key, (void)value, (void)flags;
	return -EBADF;
}

static s64 no_descriptor_in(struct rt_map *map, const void *key, const void *value, u64 flags)
{
	(void)map, (void)key, (void)value, (void)flags;
	return -EBADF;
}

static s64 no_descriptor_erase(struct rt_map *map, const void *key)
{
	(void)map, (void)key;
	return -EBADF;
}

static s64 next_key(struct rt_map *map, const void *key, void *next)
{
	(void)map, (void)key, (void)next;
	return -RT_ENOTSUPP;
}

#define STORAGE_OPS                              \
	{                                        \
		.check = check,                  \
		.create = create,                \
		.destroy = destroy,              \
		.copy_out = no_descriptor_out,   \
		.copy_in = no_descriptor_in,     \
		.erase = no_descriptor_erase,    \
		.next_key = next_key,            \
		.same_shape = rt_map_same_shape, \
		.memory_bytes = rt_hash_memory_bytes, \
	}

const struct rt_map_ops rt_task_storage_ops = STORAGE_OPS;
const struct rt_map_ops rt_cgrp_storage_ops = STORAGE_OPS;
