// SPDX-License-Identifier: Apache-2.0
/* Buckets, and what hash maps of all kinds do alike. */
#include "map_hash_find.h"
#include "map_in_map.h"
#include "map_percpu.h"
#include "paranoid.h"

#define HASH_FLAGS                                                                \
	(RT_MAP_NO_PREALLOC | RT_MAP_NO_COMMON_LRU | RT_MAP_NUMA_NODE | RT_MAP_ZERO_SEED | \
	 RT_MAP_ACCESS_FLAGS)
#define ELEMENT_SIZE_MAX ((1u << 22) - 48) /* the kernel's KMALLOC_MAX_SIZE less its own header */
#define PERCPU_VALUE_SIZE_MAX 32768u       /* the kernel's smallest per-CPU unit */

/* ---- birth and death ------------------------------------------------------------------------ */

static bool is_lru(const struct rt_map *map)
{
	return map->type == RT_MAP_LRU_HASH || map->type == RT_MAP_LRU_PERCPU_HASH;
}

int rt_hash_check(const struct rt_map *map)
{
	bool own_lists = map->flags & RT_MAP_NO_COMMON_LRU;

	if (map->flags & ~HASH_FLAGS || !rt_map_access_flags_ok(map->flags))
		return -EINVAL;
	if (!is_lru(map) && own_lists)
		return -EINVAL;
	if (is_lru(map) && map->flags & RT_MAP_NO_PREALLOC)
		return -RT_ENOTSUPP;
	if (map->flags & RT_MAP_NUMA_NODE && (rt_map_is_percpu(map) || own_lists))
		return -EINVAL;
	if (map->max_entries == 0 || map->key_size == 0 || map->value_size == 0)
		return -EINVAL;
	if ((u64)map->key_size + map->value_size >= ELEMENT_SIZE_MAX)
		return -E2BIG;
	if (rt_map_is_percpu(map) && rt_round_up8(map->value_size) > PERCPU_VALUE_SIZE_MAX)
		return -E2BIG;
	return 0;
}

static u32 power_of_two_from(u32 n)
{
	return n <= 1 ? 1 : 1u << (32 - (u32)__builtin_clz(n - 1));
}

int rt_hash_create(struct rt_map *map, u32 value_room)
{
	if (map->max_entries > 1u << 28)
		return map->max_entries > 1u << 31 ? -E2BIG : -ENOMEM;
	/* Twice as many buckets as the kernel has: half the chains, for 4 bytes an entry. */
	return rt_hash_create_sized(map, map->key_size, value_room, map->max_entries * 2);
}

int rt_hash_create_sized(struct rt_map *map, u32 key_size, u32 value_room, u32 entries)
{
	struct rt_hash *hash = rt_alloc(sizeof(*hash));

	if (hash == NULL)
		return -ENOMEM;
	hash->bucket_count = power_of_two_from(entries);
	hash->key_size = key_size;
	hash->value_offset = RT_HASH_KEY_OFFSET + rt_round_up8(key_size);
	hash->node_offset = hash->value_offset + rt_round_up8(value_room);
	hash->element_size = hash->node_offset;
	hash->preallocated = !(map->flags & RT_MAP_NO_PREALLOC);
	hash->memory_bytes = (u32)(sizeof(*map) + sizeof(*hash)) +
			     hash->bucket_count * (u32)sizeof(*hash->buckets);
	hash->buckets = rt_alloc(hash->bucket_count * (u32)sizeof(*hash->buckets));
	if (hash->buckets == NULL) {
		rt_free(hash);
		return -ENOMEM;
	}
	map->state = hash;
	return 0;
}

/* Undoes rt_hash_create and whatever was added to it. */
void rt_hash_destroy(struct rt_map *map)
{
	struct rt_hash *hash = rt_hash_state(map);

	rt_hash_cancel_timers(map);
	rt_hash_pool_destroy(hash);
	rt_free(hash->buckets);
	rt_free(hash);
}

u32 rt_hash_memory_bytes(const struct rt_map *map)
{
	return rt_hash_state(map)->memory_bytes;
}

/* ---- elements ------------------------------------------------------------------------------- */

void rt_hash_link(struct rt_hash *hash, struct rt_hash_element *element)
{
	struct rt_hash_element **bucket = &hash->buckets[element->hash & (hash->bucket_count - 1)];

	element->next = *bucket;
	*bucket = element;
}

void rt_hash_unlink(struct rt_hash *hash, struct rt_hash_element *element)
{
	struct rt_hash_element **link = &hash->buckets[element->hash & (hash->bucket_count - 1)];

	while (*link != element)
		link = &(*link)->next;
	*link = element->next;
}

void rt_hash_remove(struct rt_map *map, struct rt_hash_element *element)
{
	struct rt_hash *hash = rt_hash_state(map);
	u8 *value = rt_hash_value(hash, element);

	rt_hash_unlink(hash, element);
	hash->count--;
	rt_map_value_released(map, value);
	if (map->type == RT_MAP_HASH_OF_MAPS)
		rt_inner_release(value);
	if (hash->lru != NULL && rt_paranoid)
		rt_hash_poison(hash, element);
	if (hash->lru != NULL)
		rt_lru_give(hash->lru, rt_hash_node(hash, element));
	else
		rt_hash_pool_give(hash, element);
}

s64 rt_hash_check_flags(const struct rt_hash_element *found, u64 flags)
{
	if (found != NULL && (flags & ~(u64)RT_LOCK) == RT_NOEXIST)
		return -EEXIST;
	if (found == NULL && (flags & ~(u64)RT_LOCK) == RT_EXIST)
		return -ENOENT;
	return 0;
}

/* What user space gets to see of a value. */
static void copy_out(struct rt_map *map, struct rt_hash_element *element, void *value)
{
	u8 *from = rt_hash_value(rt_hash_state(map), element);

	if (map->type == RT_MAP_HASH_OF_MAPS) {
		rt_inner_copy_out(value, from);
	} else if (rt_map_is_percpu(map)) {
		rt_percpu_copy_out(map, value, from);
	} else {
		rt_map_copy_value(map, value, from);
		rt_map_clear_special(map, value);
	}
}

/* ---- operations ----------------------------------------------------------------------------- */

s64 rt_hash_erase(struct rt_map *map, const void *key)
{
	struct rt_hash_element *element = rt_hash_find(rt_hash_state(map), key);

	if (element == NULL)
		return -ENOENT;
	rt_hash_remove(map, element);
	return 0;
}

s64 rt_hash_copy_out(struct rt_map *map, const void *key, void *value, u64 flags)
{
	struct rt_hash_element *element = rt_hash_find(rt_hash_state(map), key);

	(void)flags;
	if (element == NULL)
		return -ENOENT;
	copy_out(map, element, value);
	return 0;
}

s64 rt_hash_take(struct rt_map *map, const void *key, void *value, u64 flags)
{
	struct rt_hash_element *element = rt_hash_find(rt_hash_state(map), key);

	(void)flags;
	if (element == NULL)
		return -ENOENT;
	copy_out(map, element, value);
	rt_hash_remove(map, element);
	return 0;
}

s64 rt_hash_next_key(struct rt_map *map, const void *key, void *next)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element = key == NULL ? NULL : rt_hash_find(hash, key);
	u32 bucket = 0;

	if (element != NULL) {
		bucket = (element->hash & (hash->bucket_count - 1)) + 1;
		element = element->next;
	}
	while (element == NULL && bucket < hash->bucket_count)
		element = hash->buckets[bucket++];
	if (element == NULL)
		return -ENOENT;
	memcpy(next, rt_hash_key(element), map->key_size);
	return 0;
}

s64 rt_hash_for_each(struct rt_map *map, u64 callback, u64 context, u64 flags)
{
	struct rt_hash *hash = rt_hash_state(map);
	u32 offset = rt_map_is_percpu(map) ? rt_percpu_stride(map) * rt_cpu : 0;
	struct rt_hash_element *element, *next;
	s64 visited = 0;

	if (flags != 0)
		return -EINVAL;
	for (u32 bucket = 0; bucket < hash->bucket_count; bucket++) {
		/* The callback may delete the element; its link stays. */
		for (element = hash->buckets[bucket]; element != NULL; element = next) {
			next = element->next;
			visited++;
			if (rt_call_callback(callback, (uintptr_t)map,
					     (uintptr_t)rt_hash_key(element),
					     (uintptr_t)rt_hash_value(hash, element) + offset, context,
					     0) != 0)
				return visited;
		}
	}
	return visited;
}

s64 rt_hash_copy_bucket(struct rt_map *map, u32 bucket, void *keys, void *values, u32 room,
			bool take)
{
	struct rt_hash *hash = rt_hash_state(map);
	struct rt_hash_element *element, *next;
	u32 value_bytes = rt_map_value_bytes(map);
	u32 count = 0;

	if (bucket >= hash->bucket_count)
		return -ENOENT;
	for (element = hash->buckets[bucket]; element != NULL; element = element->next)
		count++;
	if (count > room)
		return -ENOSPC;
	element = hash->buckets[bucket];
	for (u32 i = 0; i < count; i++, element = next) {
		next = element->next;
		memcpy((u8 *)keys + (size_t)map->key_size * i, rt_hash_key(element), map->key_size);
		copy_out(map, element, (u8 *)values + (size_t)value_bytes * i);
		if (take)
			rt_hash_remove(map, element);
	}
	return count;
}

void rt_hash_cancel_timers(struct rt_map *map)
{
	struct rt_hash *hash = rt_hash_state(map);

	if (map->timer_offset < 0)
		return;
	for (u32 bucket = 0; bucket < hash->bucket_count; bucket++)
		for (struct rt_hash_element *e = hash->buckets[bucket]; e != NULL; e = e->next)
			rt_map_value_released(map, rt_hash_value(hash, e));
}
